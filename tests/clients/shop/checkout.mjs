// The last page before the hat is yours. Team web.
import { charge } from "./cards.mjs";

export class CheckoutError extends Error {
  name = "CheckoutError";
}

export function pay(hat, card) {
  try {
    return charge(card, 8900);
  } catch (error) {
    throw new CheckoutError(`the ${hat} stays with us`, { cause: error });
  }
}
