--[[
Install a room where the store does not have it, begin a new line (a higher epoch), or bring newer settings.

Guarantee: a room that is there keeps its line, and its settings unless those that come along have a higher version; so
after a loss the newest settings that any edge knows are in force, whichever edge installs first. The token buckets begin
empty, so that losing the store, or restarting it at will, never yields a token more than rate · time + burst. Places are
touched again only when `heal_us` have passed: by then every edge that lives has said which places it has seen. The seed
of a lottery is the first that any edge has proposed; from then on it is a setting. A new line that an operator begins
brings a row for the log: it begins if and only if the row is written, and with the settings that are in force. Passes that
were taken back stay so in a new line; of two lists of them the later one is in force, whatever settings it comes with.

KEYS  as in include/room.lua, and last the log: hash of rows by version
ARGV  REST window in seconds, +1 heal_us, +2 version of the settings, +3 row of the log (empty, but for an operator's new line),
      +4 seed to propose, +5… the settings: a field's name, its value, and so on
Returns JSON {outcome: "installed" | "amended" | "kept", room}; for an operator's new line also "late" (the settings or the
line are others by now) or "missing".
]]

local now = clock()
local room = load()
local epoch, window = tonumber(ARGV[2]), tonumber(ARGV[REST])
local heal_us, version = tonumber(ARGV[REST + 1]), tonumber(ARGV[REST + 2])

local given = {}
for index = REST + 5, #ARGV, 2 do
    given[ARGV[index]] = ARGV[index + 1]
end

local function take_settings()
    for field, value in pairs(given) do
        if field ~= 'revoked' and field ~= 'revoked_at' then
            set(room, field, value)
        end
    end
    room.version = version
end

local function take_revocations(list, revoked_at)
    if revoked_at > room.revoked_at then
        set(room, 'revoked', list or '')
        room.revoked_at = revoked_at
    end
end

local function expect_everybody()
    apportion(room)
    for index, lane in ipairs(room.lanes) do
        lane.show, lane.delay = 1, FIRST_DELAY_S -- until they have been seen to come
        lane.pace, lane.measured, lane.usual = lane.least, lane.least / room.rate, lane.least / room.rate
        lane.recent = tonumber(ARGV[2 + 2 * index])
        lane.middle, lane.settled, lane.settling, lane.mark = lane.recent, lane.recent, lane.recent, lane.recent
        if lane.recent > 0 then
            lane.why, lane.why_at = 'lost_capacity', now
        end
    end
end

local row = ARGV[REST + 3]
if row ~= '' then
    if not room then
        return MISSING
    elseif room.epoch >= epoch or string.format('%.0f', room.version) ~= ARGV[REST + 2] or now < room.healing_until then
        return told('late', room)
    end
end

local outcome = 'kept'
if not room or room.epoch < epoch then
    local list, revoked_at = redis.call('HGET', ROOM, 'revoked'), room and room.revoked_at or 0
    redis.call('DEL', unpack(KEYS, 1, 2 + 4 * LANES))
    room = read({})
    take_revocations(list, revoked_at)
    room.epoch, room.window = epoch, window
    take_settings()
    room.at, room.middle_at, room.settling_at, room.second = now, now, now, math.floor(now / 1000000) - 1
    room.healing_until = now + heal_us
    expect_everybody()
    outcome = 'installed'
    if row ~= '' then
        changed(room, now)
        write_down(room, row)
    end
end
if room.window ~= window then
    redis.call('DEL', CALLS)
    room.window = window
end
advance(room, now)
if room.epoch == epoch and version > room.version then
    take_settings()
    room.tokens = math.min(room.tokens, room.burst)
    if now < room.healing_until then -- what flowed in until now did so under settings that were long changed
        room.tokens, room.bypass_tokens = 0, 0
        for _, lane in ipairs(room.lanes) do
            lane.credit = 0
        end
        expect_everybody()
    end
    outcome = 'amended'
end
take_revocations(given.revoked, tonumber(given.revoked_at or 0))
if room.discipline == 'lottery' and room.seed == '' and now >= room.healing_until then
    room.seed = ARGV[REST + 4]
    changed(room, now)
end
return told(outcome, room)
