// Cards. Team payments.

export class CardDeclinedError extends Error {
  name = "CardDeclinedError"; // as it is called where classes lose their names
}

export function charge(card, cents) {
  throw new CardDeclinedError(`a ${card} card buys books, not ${cents} cents' worth of hats`);
}
