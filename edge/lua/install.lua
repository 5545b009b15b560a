--[[
Install a room where the store does not have it, or begin a new line (a higher epoch).

Guarantee: a room that is there keeps its settings and its line; of many edges that install at once the first wins. The
token bucket begins empty, so that losing the store, or restarting it at will, never yields a token more than
rate · time + burst. Places are touched again only when `heal_us` have passed: by then every edge that lives has said which
places it has seen.

KEYS  as in include/room.lua
ARGV  1 now, 2 joined and 3 called: the highest seen by this edge, 4 state, 5 reason, 6 epoch, 7 rate, 8 burst,
      9 window in seconds, 10 heal_us
Returns JSON {outcome: "installed" | "kept", room}.
]]

local now = clock()
local room = load()
local epoch, window = tonumber(ARGV[6]), tonumber(ARGV[9])
local outcome = 'kept'
if not room or room.epoch < epoch then
    redis.call('DEL', ROOM, ANSWERED, ADMITTED, LEFT, CALLS)
    room = {}
    for _, name in ipairs(NUMBERS) do
        room[name] = 0
    end
    room.state, room.reason, room.epoch = ARGV[4], ARGV[5], epoch
    room.rate, room.burst, room.window = tonumber(ARGV[7]), tonumber(ARGV[8]), window
    room.asked, room.shown = room.rate, room.rate -- until a window has passed, everybody is expected to show up
    room.at, room.middle_at, room.second = now, now, math.floor(now / 1000000) - 1
    room.healing_until = now + tonumber(ARGV[10])
    room.recent = tonumber(ARGV[3])
    room.middle = room.recent
    outcome = 'installed'
end
if room.window ~= window then
    redis.call('DEL', CALLS)
    room.window = window
end
if room.epoch == epoch then
    advance(room, now, tonumber(ARGV[2]), tonumber(ARGV[3]))
else
    advance(room, now, 0, 0)
end
return told(outcome, room)
