"""Prints the fake's seed: one account that calls, and an account for each test with a role to enter it by.

moto needs none of this: there every role of every account exists and trusts everybody.
"""
import json

HOME = "123456789012"
ROOMS = [f"20000000{n:04}" for n in range(1, 300)]

if __name__ == "__main__":
    enter = {"name": "conformance", "trusts": [HOME]}
    guarded = {"name": "guarded", "trusts": [HOME], "externalId": "roll-call"}
    rooms = [{"id": room, "roles": [enter, guarded]} for room in ROOMS]
    print(json.dumps({"accounts": [{"id": HOME, "keys": {"tester": "test"}}, *rooms]}))
