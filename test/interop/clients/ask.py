"""Calls AWS through boto3, told nothing but what its environment says.

    ask.py [CALLS PARAMETER]

Calls GetCallerIdentity once. With arguments it makes CALLS calls: of GetCallerIdentity from one
session, and every second one of GetParameter from another. Prints one line of JSON: who AWS says
it is, or what boto3 says went wrong (then it exits with 1), and [status, seconds] of each request
that went to the container credentials endpoint.
"""

import json
import os
import sys
import time

import boto3
import botocore.exceptions
import botocore.httpsession

gateway = []
send = botocore.httpsession.URLLib3Session.send


def send_timed(session, request):
    if request.url != os.environ.get("AWS_CONTAINER_CREDENTIALS_FULL_URI"):
        return send(session, request)
    start = time.monotonic()
    status = None
    try:
        response = send(session, request)
        status = response.status_code
        return response
    finally:
        gateway.append([status, round(time.monotonic() - start, 3)])


def ask(calls=1, parameter=None):
    sts = boto3.Session().client("sts")
    ssm = boto3.Session().client("ssm") if parameter else None
    for call in range(int(calls)):
        if call % 2:
            ssm.get_parameter(Name=parameter)
        else:
            arn = sts.get_caller_identity()["Arn"]
    return {"arn": arn}


botocore.httpsession.URLLib3Session.send = send_timed
try:
    answer = ask(*sys.argv[1:])
except botocore.exceptions.BotoCoreError as error:
    answer = {"error": str(error)}
print(json.dumps({**answer, "gateway": gateway}))
sys.exit("error" in answer)
