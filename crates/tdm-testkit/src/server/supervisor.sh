# Usage: supervisor FOLDER STOP_SIGNAL CRASH_SIGNAL PROGRAM [ARGUMENT...]
# Runs the program until an order ("stop" or "crash") or the end of standard input arrives.
# The end of standard input means that whoever started us is gone: then the folder goes too.
folder=$1
stop=$2
crash=$3
shift 3
exec 3<&0 </dev/null >>"$folder/server.log" 2>&1

"$@" 3<&- &
server=$!

(
    signal=$stop
    if read -r order <&3; then
        if [ "$order" = crash ]; then signal=$crash; fi
    else
        : >"$folder/orphaned"
    fi
    exec 3<&-
    kill -s "$signal" "$server"
    left=20
    while [ "$left" -gt 0 ] && kill -s 0 "$server"; do
        sleep 1
        left=$((left - 1))
    done
    kill -s KILL "$server"
) 2>/dev/null &
watcher=$!
exec 3<&-

wait "$server"
status=$?
kill -s KILL "$watcher" 2>/dev/null
wait "$watcher" 2>/dev/null
if [ -e "$folder/orphaned" ]; then
    cd / && rm -rf "$folder"
fi
exit "$status"
