--[[
Change a room's rate, burst or state, in force on every edge with the next script that runs.

Guarantee: the time until now is settled under the old settings first, so that a change of rate never creates tokens. The
settings get a higher version than they had, and than any that was set earlier.

KEYS  as in include/room.lua
ARGV  1 now, 2 joined and 3 called: the highest seen by this edge, 4 rate, 5 burst, 6 state, 7 reason,
      8 challenge, 9 governor; what is empty stays
Returns JSON {outcome: "changed" | "missing", room}.
]]

local room = load()
if not room then
    return MISSING
end
advance(room, clock(), tonumber(ARGV[2]), tonumber(ARGV[3]))
room.rate = tonumber(ARGV[4]) or room.rate
room.burst = tonumber(ARGV[5]) or room.burst
room.tokens = math.min(room.tokens, room.burst)
if ARGV[6] ~= '' then
    room.state = ARGV[6]
end
if ARGV[7] ~= '' then
    room.reason = ARGV[7]
end
if ARGV[8] ~= '' then
    room.challenge = ARGV[8]
end
if ARGV[9] ~= '' then
    room.governor = ARGV[9]
end
room.version = math.max(room.version + 1, room.at)
return told('changed', room)
