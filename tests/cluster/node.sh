#!/bin/sh
# node.sh NAME READY [SHARED...]: what a node is, in its namespaces: a hostname, a /dev/shm and a /tmp of its own, and a process that
# keeps them. Of /tmp the directories SHARED are those of all nodes. The file READY says that all is there.
set -eu
name=$1 ready=$2
shift 2
hostname "$name"
mount -t tmpfs tmpfs /dev/shm
mount --bind /tmp /mnt
mount -t tmpfs -o mode=1777 tmpfs /tmp
for directory; do
  case $directory in /tmp/*)
    mkdir -p "$directory"
    mount --bind "/mnt/${directory#/tmp/}" "$directory"
    ;;
  esac
done
umount /mnt
: >"$ready"
exec sleep infinity
