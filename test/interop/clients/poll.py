"""Takes credentials through boto3 again and again, from a session of its own each time.

Prints `served` and the milliseconds of the clock each time it got some. When it is refused, prints
the reason and ends.
"""

import time

import boto3
import botocore.exceptions

while True:
    try:
        boto3.Session().get_credentials().get_frozen_credentials()
    except botocore.exceptions.BotoCoreError as error:
        print(error, flush=True)
        break
    print("served", round(time.time() * 1000), flush=True)
    time.sleep(0.5)
