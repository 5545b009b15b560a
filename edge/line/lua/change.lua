--[[
Change a room's settings, in force on every edge with the next script that runs, and write down who did so and why.

Guarantee: the time until now is settled under the old settings first, so that a change of rate never creates tokens. The
settings get a higher version than they had, and than any that was set earlier. A change is made if and only if it is in
the log, under its version; a row of the log is never changed. A change that was thought of for other settings than are in
force is "late" and does nothing. So is one that comes when the store has just lost the room, for other edges may know of later
settings; and one of the discipline once somebody stands in line: those who joined first come, first served hold places, those
of a lottery do not.

KEYS  as in include/room.lua, and last the log: hash of rows by version
ARGV  REST row of the log, +1 version of the settings that were looked at (empty: whatever they are),
      +2… settings: a field's name, its value, and so on
Returns JSON {outcome: "changed" | "late" | "missing", room}.
]]

local room = load()
if not room then
    return MISSING
end
advance(room, clock())

local function stands_in_line()
    for _, lane in ipairs(room.lanes) do
        if lane.joined > 0 then
            return true
        end
    end
    return false
end

local function is_late()
    local seen = ARGV[REST + 1]
    if seen ~= '' and (seen ~= string.format('%.0f', room.version) or room.at < room.healing_until) then
        return true
    end
    for index = REST + 2, #ARGV, 2 do
        if ARGV[index] == 'discipline' and ARGV[index + 1] ~= room.discipline and stands_in_line() then
            return true
        end
    end
    return false
end

if is_late() then
    return told('late', room)
end
local rate, state, parts = room.rate, room.state, least_parts(room)
for index = REST + 2, #ARGV, 2 do
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
    write_down(room, ARGV[REST])
end
return told('changed', room)
