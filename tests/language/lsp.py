"""The YAML language server that editors use, driven over stdio."""

from __future__ import annotations

import json
import subprocess
import threading
from pathlib import Path
from queue import Queue
from typing import Any, Self

WAIT = 60.0


class YamlServer:
    """One server and the documents that were shown to it.

    Args:
        command: starts the server.
        schema: the JSON Schema for every document without a modeline of its own.
    """

    def __init__(self, command: list[str], schema: Path) -> None:
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self._schema = schema
        self._count = 0
        self._answers: Queue[dict[str, Any]] = Queue()
        self._diagnostics: Queue[dict[str, Any]] = Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)

    def __enter__(self) -> Self:
        self._reader.start()
        completion = {"completionItem": {"snippetSupport": True, "documentationFormat": ["markdown"]}}
        capabilities = {
            "workspace": {"configuration": True},
            "textDocument": {"completion": completion, "hover": {"contentFormat": ["markdown"]}},
        }
        self._ask("initialize", {"processId": None, "rootUri": None, "capabilities": capabilities})
        self._tell("initialized", {})
        return self

    def __exit__(self, *_: object) -> None:
        self._ask("shutdown", None)
        self._tell("exit", None)
        self._process.wait(WAIT)
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()

    def diagnose(self, text: str, name: str = "pipeline.yaml") -> list[tuple[int, str, str]]:
        """What the editor underlines: line (from 1), the text underlined, the message."""
        uri = self._show(text, name)
        while True:
            found = self._diagnostics.get(timeout=WAIT)
            if found["uri"] == uri:
                break
        rows = text.split("\n")
        return [
            (d["range"]["start"]["line"] + 1, _cut(rows, d["range"]), str(d["message"])) for d in found["diagnostics"]
        ]

    def complete(self, text: str) -> dict[str, dict[str, Any]]:
        """What is offered at the bar ``|``, by label."""
        uri, position = self._cursor(text)
        answer = self._ask("textDocument/completion", {"textDocument": {"uri": uri}, "position": position})
        items = answer["items"] if isinstance(answer, dict) else answer or []
        return {str(item["label"]): item for item in items}

    def hover(self, text: str) -> str:
        """What is shown when the mouse rests at the bar ``|``."""
        uri, position = self._cursor(text)
        answer = self._ask("textDocument/hover", {"textDocument": {"uri": uri}, "position": position})
        return str(answer["contents"]["value"]) if answer else ""

    def _cursor(self, text: str) -> tuple[str, dict[str, int]]:
        before, _, after = text.partition("|")
        uri = self._show(before + after, "pipeline.yaml")
        return uri, {"line": before.count("\n"), "character": len(before) - before.rfind("\n") - 1}

    def _show(self, text: str, name: str) -> str:
        """A new document; its address."""
        self._count += 1
        uri = f"file:///{self._count}/{name}" if "/" not in name else Path(name).as_uri()
        item = {"uri": uri, "languageId": "yaml", "version": 1, "text": text}
        self._tell("textDocument/didOpen", {"textDocument": item})
        return uri

    def _settings(self, section: str) -> Any:
        if section != "yaml":
            return {} if section == "http" else None
        schemas = {self._schema.as_uri(): ["*.yaml"]}
        return {
            "schemas": schemas,
            "validate": True,
            "hover": True,
            "completion": True,
            "schemaStore": {"enable": False},
            "format": {"enable": False},
        }

    def _ask(self, method: str, params: Any) -> Any:
        self._count += 1
        number = self._count
        self._send({"id": number, "method": method, "params": params})
        while True:
            answer = self._answers.get(timeout=WAIT)
            if answer["id"] == number:
                assert "error" not in answer, answer
                return answer["result"]

    def _tell(self, method: str, params: Any) -> None:
        self._send({"method": method, "params": params})

    def _send(self, message: dict[str, Any]) -> None:
        data = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self._process.stdin is not None
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(data) + data)
        self._process.stdin.flush()

    def _read(self) -> None:
        stream = self._process.stdout
        assert stream is not None
        while head := stream.readline():
            length = 0
            while head.strip():
                if head.lower().startswith(b"content-length:"):
                    length = int(head.partition(b":")[2])
                head = stream.readline()
            self._received(json.loads(stream.read(length)))

    def _received(self, message: dict[str, Any]) -> None:
        method = message.get("method")
        if method == "workspace/configuration":
            result = [self._settings(item.get("section", "")) for item in message["params"]["items"]]
            self._send({"id": message["id"], "result": result})
        elif method == "textDocument/publishDiagnostics":
            self._diagnostics.put(message["params"])
        elif method is None:
            self._answers.put(message)
        elif "id" in message:
            self._send({"id": message["id"], "result": None})


def _cut(rows: list[str], place: dict[str, Any]) -> str:
    start, end = place["start"], place["end"]
    row = rows[start["line"]]
    return row[start["character"] : end["character"] if end["line"] == start["line"] else None]
