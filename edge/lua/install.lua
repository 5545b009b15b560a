--[[
Install a room where the store does not have it, begin a new line (a higher epoch), or bring newer settings.

Guarantee: a room that is there keeps its line, and its settings unless those that come along have a higher version; so
after a loss the newest settings that any edge knows are in force, whichever edge installs first. The token bucket begins
empty, so that losing the store, or restarting it at will, never yields a token more than rate · time + burst. Places are
touched again only when `heal_us` have passed: by then every edge that lives has said which places it has seen.

KEYS  as in include/room.lua
ARGV  1 now, 2 joined and 3 called: the highest seen by this edge, 4 epoch, 5 window in seconds, 6 heal_us,
      7 version of the settings, 8… the settings: a field's name, its value, and so on
Returns JSON {outcome: "installed" | "amended" | "kept", room}.
]]

local now = clock()
local room = load()
local epoch, window, version = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[7])

local function set(room)
    for index = 8, #ARGV, 2 do
        local name, value = ARGV[index], ARGV[index + 1]
        room[name] = type(room[name]) == 'number' and tonumber(value) or value
    end
    room.version = version
end

local outcome = 'kept'
if not room or room.epoch < epoch then
    redis.call('DEL', ROOM, ANSWERED, ADMITTED, LEFT, CALLS)
    room = {}
    for _, name in ipairs(WORDS) do
        room[name] = ''
    end
    for _, name in ipairs(NUMBERS) do
        room[name] = 0
    end
    room.epoch, room.window = epoch, window
    set(room)
    room.asked, room.shown = room.rate, room.rate -- until a window has passed, everybody is expected to show up
    room.at, room.middle_at, room.second = now, now, math.floor(now / 1000000) - 1
    room.healing_until = now + tonumber(ARGV[6])
    room.recent = tonumber(ARGV[3])
    room.middle = room.recent
    outcome = 'installed'
end
if room.window ~= window then
    redis.call('DEL', CALLS)
    room.window = window
end
if room.epoch ~= epoch then
    advance(room, now, 0, 0)
    return told('kept', room)
end
advance(room, now, tonumber(ARGV[2]), tonumber(ARGV[3]))
if version > room.version then
    set(room)
    room.tokens = math.min(room.tokens, room.burst)
    if now < room.healing_until then -- what flowed in until now did so under settings that were long changed
        room.tokens, room.credit = 0, 0
    end
    outcome = 'amended'
end
return told(outcome, room)
