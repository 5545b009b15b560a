--[[
Change a room's settings, in force on every edge with the next script that runs, and write down who did so and why.

Guarantee: the time until now is settled under the old settings first, so that a change of rate never creates tokens. The
settings get a higher version than they had, and than any that was set earlier. A change is made if and only if it is in
the log, under its version; a row of the log is never changed.

KEYS  as in include/room.lua, and last the log: hash of rows by version
ARGV  REST row of the log, REST+1… settings: a field's name, its value, and so on
Returns JSON {outcome: "changed" | "missing", room}.
]]

local room = load()
if not room then
    return MISSING
end
advance(room, clock())
local rate, state, parts = room.rate, room.state, least_parts(room)
for index = REST + 1, #ARGV, 2 do
    set(room, ARGV[index], ARGV[index + 1])
end
room.tokens = math.min(room.tokens, room.burst)
room.bypass_tokens = math.min(room.bypass_tokens, room.bypass_burst)
if room.rate < rate then
    slower(room, 'rate_lowered')
elseif state == 'paused' and room.state ~= state then
    slower(room, 'paused')
end
retell(room, parts, room.rate < rate and 'rate_lowered' or 'shared')
changed(room, room.at)
if ARGV[REST] ~= '' then
    redis.call('HSETNX', KEYS[#KEYS], string.format('%.0f', room.version), ARGV[REST])
end
return told('changed', room)
