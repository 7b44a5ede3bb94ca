"""Draws docs/images: what a team sees of one real event. `python -m tests.pictures`

A captured request of a real SDK goes through the service to each channel; what a channel posted
is drawn in Chromium: the mail as it is, the card by Microsoft's `adaptivecards` of npm, Slack's
blocks and Discord's embed by the pages below, which only look like those programs.
"""

import html
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from fastapi.testclient import TestClient

from service.app import create_app
from service.runtime import Runtime
from service.settings import Settings
from tests.documents import ROOT
from tests.ingest.captured import NOW, load
from tests.routers.mail import a_client, a_mail_server, read
from tests.service.test_worker import until

CAPTURE = "sentry-python-gzip/01"
CARDS = "adaptivecards@3.0.6"
WIDTH = 680  # pixels
ANSWERS = {"/slack": b"ok", "/discord": b'{"id": "1"}', "/teams": b""}
RULES = """\
version: 1
teams:
  storage:
    runbook: https://wiki.example.com/storage
    receivers:
      - {{channel: slack, continue: true}}
      - {{channel: discord, continue: true}}
      - {{channel: teams, continue: true}}
      - {{channel: mail}}
channels:
  slack: {{slack: {{webhook_url: "http://h.test:{port}/slack"}}}}
  discord: {{discord: {{webhook_url: "http://h.test:{port}/discord"}}}}
  teams: {{msteams: {{webhook_url: "http://h.test:{port}/teams"}}}}
  mail: {{email: {{smtp: "{smtp}", from: bot@example.com, to: storage@example.com}}}}
projects: {{42: {{slug: shop}}}}
policy:
  source_url: "https://github.com/acme/shop/blob/v{{version}}/{{path}}#L{{line}}"
  sentry_url: "https://acme.sentry.io/projects/{{slug}}/events/{{event_id}}/"
rules:
  - {{path: /shop/, owner: storage}}
  - {{path: /shop/common/, owner: storage, feature: connections, criticality: high}}
"""
PAGE = """<!doctype html><meta charset="utf-8"><style>
body {{ margin: 0; width: {width}px; font: 15px/1.45 system-ui, 'DejaVu Sans', sans-serif }}
* {{ box-sizing: border-box; overflow-wrap: anywhere }} {style}
</style><body>{body}</body>
<script>{script}; document.title = document.documentElement.offsetHeight</script>"""
SLACK = """
#m { padding: 16px 20px 16px 68px; position: relative; background: #fff; color: #1d1c1d }
#m::before { content: "P"; position: absolute; left: 20px; top: 18px; width: 36px; height: 36px;
  border-radius: 6px; background: #1d4ed8; color: #fff; font: bold 18px/36px sans-serif;
  text-align: center }
.who { font-weight: 900 } .who small { font-weight: 400; color: #616061; font-size: 12px }
h1 { font-size: 18px; margin: 6px 0 8px }
.f { display: grid; grid-template-columns: 1fr 1fr; gap: 6px 16px; margin: 0 0 10px }
pre { font: 12px/1.5 ui-monospace, 'DejaVu Sans Mono', monospace; background: #f8f8f8;
  border: 1px solid #dddddd; border-radius: 4px; padding: 8px; margin: 0 0 8px;
  white-space: pre-wrap }
.c { color: #616061; font-size: 13px; margin: 4px 0 8px }
a { color: #1264a3; text-decoration: none }
"""
DISCORD = """
body { background: #313338; color: #dbdee1 }
#m { padding: 16px 20px 16px 74px; position: relative }
#m::before { content: "P"; position: absolute; left: 20px; top: 16px; width: 40px; height: 40px;
  border-radius: 50%; background: #5865f2; color: #fff; font: bold 16px/40px sans-serif;
  text-align: center }
.who { font-weight: 600; color: #f2f3f5 }
.who b { background: #5865f2; font-size: 10px; padding: 1px 4px; border-radius: 3px }
.who small { color: #949ba4; font-weight: 400; font-size: 12px }
.e { background: #2b2d31; border-left: 4px solid; border-radius: 4px; padding: 10px 16px 16px;
  margin-top: 4px; font-size: 14px }
h1 { font-size: 16px; margin: 0 0 8px; color: #f2f3f5 }
pre { font: 12px/1.4 ui-monospace, 'DejaVu Sans Mono', monospace; background: #1e1f22;
  border: 1px solid #1a1b1e; border-radius: 4px; padding: 8px; margin: 0 0 4px;
  white-space: pre-wrap }
a { color: #00a8fc; text-decoration: none }
.f { display: grid; grid-template-columns: 1fr 1fr 1fr; gap: 8px; margin-top: 10px }
.f b { color: #f2f3f5; display: block; font-size: 13px }
.e > small { display: block; margin-top: 10px; font-size: 12px }
"""
CARD = """
body { background: #f5f5f5; padding: 20px }
#m { background: #fff; border-radius: 6px; box-shadow: 0 1px 4px #0003; overflow: hidden }
button { font: 600 14px system-ui, 'DejaVu Sans', sans-serif; background: #fff; padding: 6px 14px;
  border: 1px solid #d1d1d1; border-radius: 4px }
"""
DRAW_CARD = r"""
const card = new AdaptiveCards.AdaptiveCard();
card.hostConfig = new AdaptiveCards.HostConfig({
  fontFamily: "system-ui, 'DejaVu Sans', sans-serif",
  spacing: {small: 6, default: 10, padding: 14},
  supportsInteractivity: true,
  actions: {actionsOrientation: "horizontal", buttonSpacing: 8, actionAlignment: "left",
    maxActions: 6},
  factSet: {title: {weight: "bolder"}, value: {wrap: true}, spacing: 16},
  containerStyles: {
    default: {foregroundColors: {default: {default: "#242424", subtle: "#616161"}}},
    emphasis: {backgroundColor: "#f3f2f1"},
    attention: {backgroundColor: "#fdf3f4", foregroundColors: {default: {default: "#a80000"}}},
  },
});
// of Markdown only the escapes, as Teams reads them
AdaptiveCards.AdaptiveCard.onProcessMarkdown = (text, result) => {
  const element = document.createElement("div");
  element.textContent = text.replace(/\\([\\*_\[\]()])/g, "$1");
  result.outputHtml = element.innerHTML;
  result.didProcess = true;
};
card.parse(PAYLOAD);
document.getElementById("m").appendChild(card.render())
"""


@contextmanager
def the_vendors() -> Iterator[tuple[int, dict[str, Any]]]:
    """A port, and what was posted there by path."""
    posted: dict[str, Any] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            path = self.path.partition("?")[0]
            posted[path] = json.loads(content)
            self.send_response(202 if path == "/teams" else 200)
            self.end_headers()
            self.wfile.write(ANSWERS[path])

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port, posted
    server.shutdown()
    server.server_close()


def told() -> dict[str, Any]:
    """What each channel sent for the captured event: JSON by path, the mail's HTML."""
    capture = load(CAPTURE)
    with a_mail_server() as mail, the_vendors() as (port, posted):
        Path("ownership_rules.yaml").write_text(RULES.format(port=port, smtp=mail.url()))
        settings = Settings.model_validate(
            {
                "database_url": "sqlite:///pictures.db",
                "rules": "ownership_rules.yaml",
                "public_url": "https://pointsman.example.com",
            }
        )
        runtime = Runtime(settings, clock=lambda: NOW, environ={}, client=a_client())
        with TestClient(create_app(runtime)) as client:
            headers = {"content-type": capture.headers["content-type"]}
            url = f"{capture.path}?sentry_key=k"
            client.post(url, content=capture.body, headers=headers).raise_for_status()
            until(lambda: len(posted) == len(ANSWERS) and mail.taken, seconds=30)
        (_text, letter) = read(mail.taken[0]).iter_parts()
    return posted | {"mail": letter.get_content()}  # type: ignore[attr-defined]


def mrkdwn(text: str) -> str:
    text = re.sub(r"```\n?(.*?)\n?```", r"<pre>\1</pre>", text, flags=re.DOTALL)
    text = re.sub(r"<(https?:[^|>]*)\|([^>]*)>", r'<a href="\1">\2</a>', text)
    return re.sub(r"\*([^*\n]+)\*\n", r"<b>\1</b><br>", text)


def slack(message: dict[str, Any]) -> str:
    parts = ["<div class=who>Pointsman <small>APP 12:00</small></div>"]
    for block in message["blocks"]:
        if block["type"] == "header":
            parts.append(f"<h1>{block['text']['text']}</h1>")
        elif block["type"] == "context":
            parts.append(f"<div class=c>{mrkdwn(block['elements'][0]['text'])}</div>")
        elif "fields" in block:
            shown = (f"<div>{mrkdwn(field['text'])}</div>" for field in block["fields"])
            parts.append(f"<div class=f>{''.join(shown)}</div>")
        elif block["type"] == "section":
            text = block["text"]["text"]
            is_plain = block["text"]["type"] == "plain_text"
            parts.append(
                f"<div>{text.replace(chr(10), '<br>') if is_plain else mrkdwn(text)}</div>"
            )
    return f"<div id=m>{''.join(parts)}</div>"


def markdown(text: str) -> str:
    """Discord's, of what the channel writes: code, links, escapes."""
    shown = ""
    for number, part in enumerate(text.split("```")):
        if number % 2:
            shown += f"<pre>{html.escape(part.strip(chr(10)))}</pre>"
            continue
        part = html.escape(part.strip("\n"), quote=False)
        part = re.sub(r"(?<!\\)\[([^]]*)\]\(&lt;(.*?)&gt;\)", r'<a href="\2">\1</a>', part)
        shown += re.sub(r"\\([^A-Za-z0-9\s])", r"\1", part).replace("\n", "<br>")
    return shown


def discord(message: dict[str, Any]) -> str:
    (embed,) = message["embeds"]
    fields = "".join(
        f"<div><b>{html.escape(one['name'])}</b>{markdown(one['value'])}</div>"
        for one in embed["fields"]
    )
    return (
        "<div id=m><div class=who>Pointsman <b>APP</b> <small>Today at 12:00</small></div>"
        f'<div class=e style="border-color:#{embed["color"]:06x}">'
        f"<h1>{markdown(embed['title'])}</h1>{markdown(embed['description'])}"
        f"<div class=f>{fields}</div><small>{html.escape(embed['footer']['text'])}</small>"
        "</div></div>"
    )


def library() -> str:
    """The browser's build of `adaptivecards`."""
    run("npm", "install", "--silent", "--no-save", "--prefix", ".", CARDS)
    return Path("node_modules/adaptivecards/dist/adaptivecards.min.js").read_text()


def run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def picture(name: str, page: str) -> None:
    """As high as the page is."""
    Path(f"{name}.html").write_text(page, encoding="utf-8")
    chromium = ("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars")
    url = Path(f"{name}.html").absolute().as_uri()
    dom = run(*chromium, f"--window-size={WIDTH},100", "--dump-dom", url)
    found = re.search(r"<title>(\d+)", dom)
    assert found, "the page has no height"
    image = ROOT / "docs" / "images" / f"{name}.png"
    size = f"--window-size={WIDTH},{found[1]}"
    run(*chromium, size, f"--screenshot={image}", url)


def main() -> None:
    with TemporaryDirectory() as folder:
        os.chdir(folder)
        sent = told()
        card = sent["/teams"]["attachments"][0]["content"]
        cards = library() + DRAW_CARD.replace("PAYLOAD", json.dumps(card).replace("<", "\\u003c"))
        pages = {
            "slack": (SLACK, slack(sent["/slack"]), ""),
            "discord": (DISCORD, discord(sent["/discord"]), ""),
            "msteams": (CARD, "<div id=m></div>", cards),
        }
        for name, (style, body, script) in pages.items():
            page = PAGE.format(width=WIDTH, style=style, body=body, script=script)
            picture(name, page)
        height = "<script>document.title = document.documentElement.offsetHeight</script></body>"
        picture("email", sent["mail"].replace("</body>", height))
        os.chdir(ROOT)
    sys.stdout.write("drawn: docs/images\n")


if __name__ == "__main__":
    main()
