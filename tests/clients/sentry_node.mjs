// Sentry's SDK for Node: `npm install @sentry/node`, found by NODE_PATH.
// node tests/clients/sentry_node.mjs http://127.0.0.1:8000 KEY
import { createRequire } from "node:module";
import { pay } from "./shop/checkout.mjs";

const Sentry = createRequire(import.meta.url)("@sentry/node"); // `import` knows no NODE_PATH
const [url, key] = process.argv.slice(2);

Sentry.init({
  dsn: `${url.replace("://", `://${key}@`)}/1`,
  release: "2026.11.1",
  environment: "production",
  tracesSampleRate: 1,
});
Sentry.startSpan({ name: "GET /" }, () => {});
try {
  pay("bowler", "library");
} catch (error) {
  Sentry.captureException(error);
}
await Sentry.close(5000);
