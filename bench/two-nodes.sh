#!/bin/sh
# Trains on two nodes that are two network namespaces of this machine, and loses one on the way: bench/two-nodes.sh FOLDER
# Needs root, iproute2, a built LEAF and LEAF_PYTHON. Compares the losses with those of one process.
set -eu
root="$(cd "$(dirname "$0")/.." && pwd)"
work="$1"
epochs="${EPOCHS:-20}"
leaf="node $root/bin/leaf.js"
a=leaf-a-$$ b=leaf-b-$$
mkdir -p "$work/alone"
export LEAF_HOME="$work/home"
cleanup() {
  for space in $a $b; do
    for pid in $(ip netns pids $space 2>/dev/null); do kill -9 "$pid" 2>/dev/null || true; done
    ip netns del $space 2>/dev/null || true
  done
}
trap cleanup EXIT
ip netns add $a
ip netns add $b
ip link add la$$ type veth peer name lb$$
ip link set la$$ netns $a name eth0
ip link set lb$$ netns $b name eth0
ip -n $a addr add 10.77.0.1/24 dev eth0
ip -n $b addr add 10.77.0.2/24 dev eth0
for space in $a $b; do ip -n $space link set eth0 up && ip -n $space link set lo up; done

cp -r "$root/demo/photos" "$work/alone/photos"
config="images: photos
teacher: { kind: embedded }
python: { threads: 1, device: cpu }
student: { model: atto, input: { resize: 64, crop: 48, views: 1 } }
distill: { epochs: $epochs, batch: 8"
echo "$config }" > "$work/alone/leaf.yaml"
cd "$work/alone"
$leaf label
for copy in nodes lost; do
  cp -r "$work/alone" "$work/$copy"
  echo "$config, launch: { nodes: 2, rendezvous: '10.77.0.1:29500' } }" > "$work/$copy/leaf.yaml"
done
began=$(date +%s)
$leaf distill
echo "one process: $(($(date +%s) - began)) s"

metrics() { ls "$work/$1"/.leaf/stages/distill/*/metrics.jsonl 2>/dev/null; }
epochs_of() { file=$(metrics "$1") || { echo 0; return; }; grep -c epoch "$file" || true; }

for copy in nodes lost; do
  cd "$work/$copy"
  $leaf trust --yes > /dev/null
  began=$(date +%s)
  ip netns exec $b $leaf join > join.log 2>&1 &
  joined=$!
  ip netns exec $a $leaf distill > main.log 2>&1 &
  main=$!
  if [ $copy = lost ]; then
    while [ "$(epochs_of lost)" -lt 3 ]; do sleep 0.1; done
    for pid in $(ip netns pids $b); do kill -9 "$pid" || true; done
    echo "the second node was killed after epoch $(epochs_of lost)"
    ip netns exec $b $leaf join > join-again.log 2>&1 &
    joined=$!
  fi
  wait $main
  wait $joined
  echo "$copy: $(($(date +%s) - began)) s"
done

"$LEAF_PYTHON" - "$(metrics alone)" "$(metrics nodes)" "$(metrics lost)" << 'PY'
import json, sys
alone, nodes, lost = ([json.loads(line) for line in open(name)] for name in sys.argv[1:])
for name, other in (("two nodes", nodes), ("a node lost", lost)):
    assert [one["epoch"] for one in other] == [one["epoch"] for one in alone], name
    print(name, "largest difference of a loss:", max(abs(x["loss"] - y["loss"]) for x, y in zip(alone, other)))
print("last loss", alone[-1]["loss"])
PY
