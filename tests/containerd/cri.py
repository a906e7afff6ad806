#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Asks a container engine by Kubernetes' CRI what a kubelet asks it: cri.py SOCKET METHOD [JSON]

JSON is the request, by the field's names in the tables below; the answer is printed in the same way. The tables are the part of CRI
(runtime.v1) that the cases use: a field's number, and what it is. Everything else in an answer is left out."""
import json
import sys

import grpc

KEY_VALUE = {"key": (1, str), "value": (2, str)}
NAMESPACES = {"network": (1, int), "pid": (2, int), "ipc": (3, int)}
POD_METADATA = {"name": (1, str), "uid": (2, str), "namespace": (3, str), "attempt": (4, int)}
METADATA = {"name": (1, str), "attempt": (2, int)}
POD_SECURITY = {"namespace_options": (1, NAMESPACES)}
RESOURCES = {"cpu_period": (1, int), "cpu_quota": (2, int), "cpu_shares": (3, int), "memory_limit_in_bytes": (4, int)}
POD_LINUX = {"cgroup_parent": (1, str), "security_context": (2, POD_SECURITY), "resources": (5, RESOURCES)}
POD_CONFIG = {
    "metadata": (1, POD_METADATA),
    "hostname": (2, str),
    "log_directory": (3, str),
    "linux": (8, POD_LINUX),
}
SECURITY = {"namespace_options": (3, NAMESPACES), "masked_paths": (13, [str]), "readonly_paths": (14, [str])}
LINUX = {"resources": (1, RESOURCES), "security_context": (2, SECURITY)}
MOUNT = {"container_path": (1, str), "host_path": (2, str), "readonly": (3, int), "propagation": (5, int)}
CONTAINER_CONFIG = {
    "metadata": (1, METADATA),
    "image": (2, {"image": (1, str)}),
    "command": (3, [str]),
    "args": (4, [str]),
    "envs": (6, [KEY_VALUE]),
    "mounts": (7, [MOUNT]),
    "log_path": (11, str),
    "linux": (15, LINUX),
}
POD_ID = {"pod_sandbox_id": (1, str)}
CONTAINER_ID = {"container_id": (1, str)}
POD_STATUS = {"id": (1, str), "state": (3, int), "network": (5, {"ip": (1, str)})}
CONTAINER_STATUS = {"id": (1, str), "state": (3, int), "exit_code": (7, int), "reason": (10, str)}

METHODS = {
    "Version": ({}, {"runtime_name": (2, str)}),
    "RunPodSandbox": ({"config": (1, POD_CONFIG), "runtime_handler": (2, str)}, POD_ID),
    "PodSandboxStatus": (POD_ID, {"status": (1, POD_STATUS)}),
    "StopPodSandbox": (POD_ID, {}),
    "RemovePodSandbox": (POD_ID, {}),
    "CreateContainer": (
        {"pod_sandbox_id": (1, str), "config": (2, CONTAINER_CONFIG), "sandbox_config": (3, POD_CONFIG)},
        CONTAINER_ID,
    ),
    "StartContainer": (CONTAINER_ID, {}),
    "ContainerStatus": (CONTAINER_ID, {"status": (1, CONTAINER_STATUS)}),
    "ExecSync": (
        {"container_id": (1, str), "cmd": (2, [str]), "timeout": (3, int)},
        {"stdout": (1, str), "stderr": (2, str), "exit_code": (3, int)},
    ),
    "UpdateContainerResources": ({"container_id": (1, str), "linux": (2, RESOURCES)}, {}),
    "StopContainer": ({"container_id": (1, str), "timeout": (2, int)}, {}),
    "RemoveContainer": (CONTAINER_ID, {}),
}

SECONDS = 120


def varint(number):
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def encode(table, message):
    out = b""
    for name, value in message.items():
        number, kind = table[name]
        values = value if isinstance(kind, list) else [value]
        kind = kind[0] if isinstance(kind, list) else kind
        for one in values:
            if kind is int:
                out += varint(number << 3) + varint(one)
            else:
                data = one.encode() if kind is str else encode(kind, one)
                out += varint(number << 3 | 2) + varint(len(data)) + data
    return out


def read_varint(data, at):
    number = shift = 0
    while True:
        byte = data[at]
        number |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return number, at


def decode(table, data):
    names = {number: (name, kind) for name, (number, kind) in table.items()}
    message = {}
    at = 0
    while at < len(data):
        key, at = read_varint(data, at)
        number, wire = key >> 3, key & 7
        if wire == 0:
            value, at = read_varint(data, at)
        elif wire == 2:
            length, at = read_varint(data, at)
            value, at = data[at : at + length], at + length
        else:
            at += 8 if wire == 1 else 4
            continue
        if number in names:
            name, kind = names[number]
            if isinstance(value, bytes):
                value = value.decode("utf-8", "replace") if kind is str else decode(kind, value)
            message[name] = value
    return message


def main():
    address, method = sys.argv[1:3]
    request, answer = METHODS[method]
    message = json.loads(sys.argv[3]) if len(sys.argv) > 3 else {}
    with grpc.insecure_channel("unix://" + address) as channel:
        call = channel.unary_unary(
            "/runtime.v1.RuntimeService/" + method,
            request_serializer=lambda one: encode(request, one),
            response_deserializer=lambda data: decode(answer, data),
        )
        try:
            print(json.dumps(call(message, timeout=SECONDS)))
        except grpc.RpcError as error:
            print(error.details(), file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
