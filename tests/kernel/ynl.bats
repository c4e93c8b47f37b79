#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
#
# The netlink family, as its specification has it: driven by ynl, the kernel's own
# tool, which knows of the family what module/netlink/ipcdemo.yaml says. Runs in the
# VM as root with the module loaded.

bats_require_minimum_version 1.5.0

export PYTHONDONTWRITEBYTECODE=1
ynl=$PWD/build/ynl
export spec=module/netlink/ipcdemo.yaml

# As many as it takes in one process: to read the specification takes seconds where
# the VM is emulated. Checks are Python's.
@test "ynl gets, sets, is refused, and receives an event" {
	PYTHONPATH=$ynl/tools/net/ynl python3 - <<'END'
import os, select
from lib import YnlFamily, NlError

spec = os.environ['spec']
nl = YnlFamily(spec, schema='')

def table(name):
    with open(f'/proc/ipcdemo/{name}') as file:
        rows = [line.split() for line in file]
    return [dict(zip(rows[0], row)) for row in rows[1:]]

def refused(errno, what, attrs):
    try:
        nl.do(what, attrs)
    except NlError as error:
        assert error.error == errno, (what, attrs, error)
        return error.nl_msg.extack
    raise AssertionError(f'{what} {attrs} is not refused')

# What a dump says is what /proc says.
objects = {o['id']: o for o in nl.dump('object-get', {})}
for kind, name in ('pipe', 'pipes'), ('region', 'regions'):
    rows = table(name)
    mine = nl.dump('object-get', {'kind': kind})
    assert [o['id'] for o in mine] == [int(row['id']) for row in rows]
    for row in rows:
        o = objects[int(row['id'])]
        assert o['kind'] == kind and o['name'] == row['name']
        assert o['mode'] == int(row['mode'], 8)
        for key in ('slots', 'bytes', 'readers') if kind == 'pipe' else ('size', 'maps'):
            assert o[key] == int(row[key]), key
pipe = int(table('pipes')[0]['id'])
region = int(table('regions')[0]['id'])

# One in full: its slots, and its counters with the names of the points.
full = nl.dump('object-get', {'id': pipe})
assert full[0]['id'] == pipe
assert sum(len(part.get('slot', [])) for part in full) == objects[pipe]['slots']
points = {p['name']: p for p in nl.dump('point-get', {})}
with open('/proc/ipcdemo/points') as file:
    assert list(points) == [line.split()[0] for line in file][1:]
one = nl.do('object-get', {'id': pipe})
for counter in one['counter']:
    assert points[counter['point']]['unit'] == counter['unit']
assert nl.do('point-get', {'name': 'read.copy'}) == points['read.copy']
assert nl.do('map-get', {'id': region})['maps'] == objects[region]['maps']
assert nl.dump('waiter-get', {}) == []

# Set, and what it became.
reply = nl.do('object-set', {'id': pipe, 'capacity': 5000, 'persistence': 'kernel'})
assert reply == {'id': pipe, 'capacity': 8192, 'persistence': 'kernel'}, reply
row = table('pipes')[0]
assert row['persistence'] == 'kernel' and row['slots'] == '2'
nl.do('object-set', {'id': pipe, 'capacity': 65536, 'persistence': 'process'})

# Errors, with their explanation.
assert refused(2, 'object-get', {'id': 4000000})['msg'] == 'no such object has this id'
assert refused(22, 'object-get', {})['miss-type'] == 'id'
assert refused(22, 'object-set', {'id': pipe})['msg'] == 'there is nothing to set'

# An event; its socket is another one's affair, so that replies do not mix.
listener = YnlFamily(spec, schema='')
listener.do('subscribe', {'kinds': {'resize'}, 'id': [pipe]})
nl.do('object-set', {'id': pipe, 'capacity': 65536})
assert select.select([listener.sock], [], [], 60)[0], 'no event comes'
listener.check_ntf()
told = [(ntf['name'], ntf['msg']['point'], ntf['msg']['id'], ntf['msg']['seq'],
         ntf['msg']['pid']) for ntf in listener.async_msg_queue]
assert told == [('event', 'resize.done', pipe, 1, os.getpid())], told
state = listener.do('subscription-get', {'flush': True})
assert state['seq'] == 1 and state['lost'] == 0, state
END
}

@test "the command line of ynl does, too, and the specification fits the schema" {
	run -0 --separate-stderr python3 "$ynl/tools/net/ynl/cli.py" \
		--spec "$spec" \
		--schema "$ynl/Documentation/netlink/genetlink-legacy.yaml" \
		--dump object-get --json '{"kind": "pipe"}' --output-json
	[[ $(jq -c '[.[] | [.kind, .name, .slots]]' <<<"$output") == \
		'[["pipe","/dev/ipcdemo",16]]' ]]
}
