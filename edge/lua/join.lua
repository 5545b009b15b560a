--[[
Give the next places of the line to visitors who arrived together.

Guarantee: a place is given once; visitors of one call get consecutive places in their order; a refusal burns none.

KEYS  as in include/room.lua
ARGV  1 now, 2 joined and 3 called: the highest seen by this edge, 4 epoch the edge signs tickets for, 5 visitors
Returns JSON {outcome: "joined" | "closed" | "healing" | "moved" | "missing", first, room}; `first` is the place of the
first of them. "moved": the room has another epoch, which the picture names.
]]

local room = load()
if not room then
    return MISSING
end
if room.epoch ~= tonumber(ARGV[4]) then
    advance(room, clock(), 0, 0)
    save(room)
    return cjson.encode({ outcome = 'moved', room = picture(room) })
end
local now = clock()
advance(room, now, tonumber(ARGV[2]), tonumber(ARGV[3]))
local outcome, first = 'joined', room.joined + 1
if room.state == 'closed' then
    outcome = 'closed'
elseif now < room.healing_until then
    outcome = 'healing'
else
    room.joined = room.joined + tonumber(ARGV[5])
    call(room)
end
save(room)
return cjson.encode({ outcome = outcome, first = first, room = picture(room) })
