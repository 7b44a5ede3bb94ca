// A page that fails: bundled by sentry_browser.py, which says SENTRY_DSN.
import * as Sentry from "@sentry/browser";
import { pay } from "./shop/checkout.mjs";

Sentry.init({ dsn: SENTRY_DSN, release: "shop@2026.11.1", environment: "production" });
// What the browser let the SDK read of the answer: nothing, were it another origin's affair.
Sentry.getClient().on("afterSendEvent", (event, answer) => {
  document.body.textContent = `answered ${answer.statusCode}`;
});
setTimeout(() => pay("bowler", "library"));
