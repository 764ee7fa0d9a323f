-- Takes up to `slots` waiting jobs, best level first, and starts them: out of the list and into the
-- started registry in one step, so that a job is always in one of them.
-- ARGV[1]: msgpack {worker, first, slots, overdue_slots, lease, iso_now, levels = {{name, overdue}}}.
local c = cmsgpack.unpack(ARGV[1])
if redis.call('EXISTS', P .. ':suspended') == 1 then return {} end
local now = server_time()
local expiry = now + c.lease + MARGIN
local jobs, taken, looked_at, held = {}, 0, 0, 0
local levels = {}
for _, level in ipairs(c.levels) do
  if redis.call('SISMEMBER', own('paused'), level.name) == 0 then levels[#levels + 1] = level end
end

local function holds_lease(level, entry)
  return redis.call('ZSCORE', wip_key(level), entry)
end

-- False if as many jobs of this key run as may; leases that are gone do not count.
local function may_run(limit, most)
  local key = own('running', limit)
  if redis.call('SCARD', key) < most then return true end
  for _, entry in ipairs(redis.call('SMEMBERS', key)) do
    local level, lease = string.match(entry, '^(.-)|(.*)$')
    if not holds_lease(level, lease) then redis.call('SREM', key, entry) end
  end
  return redis.call('SCARD', key) < most
end

-- True if the job may start now; else it was given its place in the rate's future.
local function rate_allows(id, level, limit, interval, granted)
  if not interval or granted then return true end
  local key = own('rate', limit)
  local next_start = math.max(now, tonumber(redis.call('GET', key) or '0'))
  redis.call('SET', key, string.format('%.6f', next_start + interval), 'EX',
    math.ceil(next_start + interval - now) + 60)
  if next_start <= now then return true end
  redis.call('HSET', job_key(id), 'status', 'scheduled', 'rate_granted', '1')
  redis.call('ZADD', P .. ':scheduled:' .. level, next_start, id)
  return false
end

local function blocked(id, level, f)
  local limit = f[8]
  if not limit then return false end
  if f[9] and not may_run(limit, tonumber(f[9])) then
    redis.call('RPUSH', own('blocked', limit), id)
    redis.call('SADD', own('blocked_keys'), limit)
    -- The clock stands still within a script; their order is told by the microsecond.
    held = held + 1
    redis.call('ZADD', own('blocked_at', level), now + held / 1000000, id)
    return true
  end
  return not rate_allows(id, level, limit, tonumber(f[10]), f[11])
end

local function start(id, level)
  local key = job_key(id)
  local f = redis.call('HMGET', key, 'status', 'data', 'meta', 'timeout', 'enqueued_at', 'expires_at',
    'deliveries', 'limit_key', 'limit_concurrency', 'limit_interval', 'rate_granted', 'result_ttl',
    'failure_ttl', 'execution', 'rate_limit_key', 'repeats_left', 'first_started_at', 'stop_requested', 'failures',
    'attempts')
  if not f[2] or f[1] == 'canceled' or f[1] == 'finished' then return end
  if f[1] == 'started' and f[14] and holds_lease(level, member(id, f[14])) then return end
  if blocked(id, level, f) then return end
  -- The place in the rate's future was for this start; another one needs another place.
  if f[11] then redis.call('HDEL', key, 'rate_granted') end
  local execution = c.worker .. '.' .. string.format('%d', c.first + taken + 1)
  redis.call('ZADD', wip_key(level), expiry, member(id, execution))
  if f[9] then redis.call('SADD', own('running', f[8]), level .. '|' .. member(id, execution)) end
  -- No number: damaged, which is the caller's to deal with.
  local attempts = string.format('%d', tonumber(f[20] or '0') + 1)
  redis.call('HSET', key, 'status', 'started', 'started_at', c.iso_now, 'last_heartbeat', c.iso_now,
    'worker_name', c.worker, 'execution', execution, 'attempts', attempts,
    'first_started_at', f[17] or c.iso_now)
  taken = taken + 1
  jobs[taken] = {id, level, execution, attempts, f[2], f[3] or '', f[4] or '', f[5] or '', f[6] or '',
    f[7] or '', f[8] or '', f[12] or '', f[13] or '', (f[15] or f[16]) and '1' or '',
    f[17] or '', f[18] or '', f[19] or ''}
end

-- What one damaged job does must not cost the others that were taken with it.
local function start_or_fail(id, level)
  if pcall(start, id, level) then return end
  local entry = member(id, c.worker .. '.' .. string.format('%d', c.first + taken + 1))
  redis.call('ZREM', wip_key(level), entry)
  local limit = redis.pcall('HGET', job_key(id), 'limit_key')
  if type(limit) == 'string' then redis.call('SREM', own('running', limit), level .. '|' .. entry) end
  end_damaged(id, level, c.iso_now, now)
end

local function take(level, most)
  local left = most
  while left > 0 and looked_at < 2000 do
    local ids = redis.call('LPOP', queue_key(level), left)
    if not ids then return end
    local before = taken
    for _, id in ipairs(ids) do start_or_fail(id, level) end
    looked_at = looked_at + #ids
    left = left - (taken - before)
  end
end

-- The longest overdue levels get their few slots first, whatever waits above them.
if c.overdue_slots > 0 then
  for i = #levels, 2, -1 do
    local level = levels[i]
    local head = level.overdue and redis.call('LINDEX', queue_key(level.name), 0)
    local since = head and redis.pcall('HGET', job_key(head), 'enqueued_at')
    if type(since) == 'string' and since < level.overdue and taken < c.overdue_slots then take(level.name, 1) end
  end
end
for _, level in ipairs(levels) do
  if taken < c.slots then take(level.name, c.slots - taken) end
end
return jobs
