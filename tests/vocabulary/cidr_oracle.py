"""Answers questions about ranges of addresses with Python's ipaddress, one line each.

parse <entry>           the canonical range, or "refused"
admits <list> <address> whether some range of the comma-separated list has the address: 0 or 1
covers <list> <list>    whether each caller whom the second list admits is admitted by the first: 0 or 1
"""

import ipaddress
import re
import sys

MAPPED = ipaddress.ip_network("::ffff:0:0/96")
WILDCARDS = {ipaddress.ip_network("0.0.0.0/0"), ipaddress.ip_network("::/0")}


def parse(entry):
    """The rules that ipaddress does not have are: no zone, no mask, a plain prefix, mapped ranges are IPv4."""
    address, slash, prefix = entry.partition("/")
    address = ipaddress.ip_address(address)
    if getattr(address, "scope_id", None) is not None:
        raise ValueError("zone")
    if slash and not re.fullmatch("0|[1-9][0-9]*", prefix):
        raise ValueError("prefix")
    network = ipaddress.ip_network((address, int(prefix) if slash else address.max_prefixlen))
    if network.version == 6 and network.subnet_of(MAPPED):
        mapped = network.network_address.ipv4_mapped
        return ipaddress.ip_network((mapped, network.prefixlen - 96))
    return network


def admits(ranges, address):
    address = ipaddress.ip_address(address)
    address = getattr(address, "ipv4_mapped", None) or address
    return any(address in network for network in ranges)


def covers(mine, theirs):
    """A caller whose address is not known is admitted only where both wildcards stand in the list."""
    if WILDCARDS <= set(theirs) and not WILDCARDS <= set(mine):
        return False
    return all(covers_one(mine, network) for network in theirs)


def covers_one(mine, network):
    family = [other for other in mine if other.version == network.version]
    merged = list(ipaddress.collapse_addresses(family))
    pieces = [network]
    if network.version == 6 and MAPPED.subnet_of(network):
        # Mapped addresses are matched as IPv4 only, so that here they are nobody's.
        pieces = network.address_exclude(MAPPED)
    return all(any(piece.subnet_of(other) for other in merged) for piece in pieces)


def answer(question, *arguments):
    if question == "parse":
        try:
            return str(parse(*arguments))
        except ValueError:
            return "refused"
    ranges = [parse(entry) for entry in arguments[0].split(",")]
    if question == "admits":
        return str(int(admits(ranges, arguments[1])))
    return str(int(covers(ranges, [parse(entry) for entry in arguments[1].split(",")])))


for line in sys.stdin:
    print(answer(*line.rstrip("\n").split(" ")))
