#!/usr/bin/env python3
"""Stands in for vLLM's `vllm` command: takes its arguments, has its endpoints, and answers from a script. No model.

It writes its arguments, environment and every body into the file FAKE_VLLM_LOG names. FAKE_VLLM_DIES makes it end with
that code before it answers.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, StreamingResponse

SAID = ["<think>", "\n2+2=4", "\n</think>", "\nAnswer:", " 4"]


def note(**facts):
    with open(os.environ["FAKE_VLLM_LOG"], "a") as file:
        file.write(json.dumps(facts) + "\n")


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("command", choices=["serve"])
    parser.add_argument("model")
    for name in ("host", "dtype", "served-model-name", "generation-config", "quantization", "revision"):
        parser.add_argument(f"--{name}")
    for name in ("port", "max-model-len", "max-num-seqs", "seed", "max-loras", "max-cpu-loras", "max-lora-rank"):
        parser.add_argument(f"--{name}", type=int)
    parser.add_argument("--enable-lora", action="store_true")
    parser.add_argument("--lora-modules", nargs="+", default=[])
    return parser.parse_args()


def app(given):
    app = FastAPI()
    served = {given.served_model_name, *(module.split("=")[0] for module in given.lora_modules)}

    @app.get("/health")
    async def health():
        return None  # vLLM's has no body either

    @app.get("/v1/models")
    async def models():
        return {"data": [{"id": name} for name in sorted(served)]}

    @app.post("/v1/load_lora_adapter")
    async def load(body: dict):
        note(load=body)
        if not os.environ.get("VLLM_ALLOW_RUNTIME_LORA_UPDATING"):
            return JSONResponse({"detail": "Not Found"}, status_code=404)
        if "bad" in body["lora_name"]:
            return JSONResponse({"error": {"message": "no such adapter"}}, status_code=400)
        served.add(body["lora_name"])

    @app.post("/v1/unload_lora_adapter")
    async def unload(body: dict):
        note(unload=body)
        served.remove(body["lora_name"])

    @app.post("/v1/completions")
    async def complete(http: Request):
        body = await http.json()
        note(body=body)
        if body["model"] not in served:
            return JSONResponse({"error": {"message": "no such model"}}, status_code=404)
        return StreamingResponse(told(body), media_type="text/event-stream")

    return app


async def told(body):
    said = SAID[: body["max_tokens"]]
    reason = "stop" if len(said) == len(SAID) else "length"
    for place, text in enumerate(said):
        await asyncio.sleep(float(os.environ.get("FAKE_VLLM_PAUSE_S", "0")))
        ended = reason if place == len(said) - 1 else None
        yield f"data: {json.dumps({'choices': [{'index': 0, 'text': text, 'finish_reason': ended}]})}\n\n"
    usage = {"prompt_tokens": len(body["prompt"]), "completion_tokens": len(said)}
    yield f"data: {json.dumps({'choices': [], 'usage': usage})}\n\ndata: [DONE]\n\n"


def main():
    worker = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])  # vLLM has such children, too
    note(arguments=sys.argv[1:], pid=os.getpid(), worker=worker.pid,
         environment={name: value for name, value in os.environ.items() if name.startswith(("VLLM", "HF_HUB"))})
    if code := os.environ.get("FAKE_VLLM_DIES"):
        sys.exit(int(code))
    given = arguments()
    uvicorn.run(app(given), host=given.host, port=given.port, log_level="warning")


if __name__ == "__main__":
    main()
