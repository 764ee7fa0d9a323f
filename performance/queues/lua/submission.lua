-- Enqueues one job: bounded, unique, idempotent, now or later; running twice is the same as once.
local iso_now, unix_now

-- The older job that this one repeats, or else the one that it is to replace.
local function duplicate(entry)
  if entry.idempotent then
    local older = redis.call('GET', own('idempotent', entry.idempotent))
    if older then return older end
  end
  if not entry.unique then return nil end
  local older = redis.call('GET', own('unique', entry.unique))
  if not older then return nil end
  local status = redis.call('HGET', job_key(older), 'status')
  local waiting = status == 'queued' or status == 'scheduled' or status == 'deferred'
  if not waiting and not (status == 'started' and entry.until_finished) then return nil end
  if not entry.replace then return older end
  return nil, older
end

local function replace(older)
  if withdraw(older) then
    end_waiting(older, 'canceled', 'canceled', 'performance.queues.exceptions.TaskCancelled',
      'Replaced by a newer job.', iso_now, unix_now)
  else
    request_stop(older, redis.call('HGET', job_key(older), 'worker_name'))
  end
end

-- Drops the oldest job that may be dropped: what is durable may not. False if there is none in sight.
local function shed_oldest(queue)
  for _, id in ipairs(redis.call('LRANGE', queue_key(queue), 0, 99)) do
    if redis.call('HEXISTS', job_key(id), 'durable') == 0 then
      redis.call('LREM', queue_key(queue), 1, id)
      end_waiting(id, 'failed', 'failed', 'performance.queues.exceptions.TaskShed',
        'Gave way to newer jobs: the level is full.', iso_now, unix_now)
      return true
    end
  end
  return false
end

-- How many wait if the level is full; the place of a job that is replaced counts as free.
local function full(entry, replaced)
  if entry.most == 0 or entry.run_at > 0 then return nil end
  local length = redis.call('LLEN', queue_key(entry.queue)) + redis.call('ZCARD', own('blocked_at', entry.queue))
  if length < entry.most then return nil end
  if replaced and length == entry.most and (redis.call('LPOS', queue_key(entry.queue), replaced)
    or redis.call('ZSCORE', own('blocked_at', entry.queue), replaced)) then return nil end
  if entry.shed and shed_oldest(entry.queue) then return nil end
  return length
end

local function done_per_minute(queue)
  local minute = math.floor(unix_now / 60)
  local last = tonumber(redis.call('GET', own('done', queue, string.format('%d', minute - 1))) or '0')
  local this = tonumber(redis.call('GET', own('done', queue, string.format('%d', minute))) or '0')
  return math.max(last, this)
end

local function remember_keys(entry)
  if entry.unique then
    redis.call('SET', own('unique', entry.unique), entry.id, 'EX', 604800 + entry.delay)
  end
  if entry.idempotent then
    redis.call('SET', own('idempotent', entry.idempotent), entry.id, 'EX', entry.keep)
  end
end

local function submit(entry, data)
  local key = job_key(entry.id)
  if redis.call('EXISTS', key) == 1 then return {1, entry.id} end
  local older, replaced = duplicate(entry)
  if older then return {2, older} end
  local length = full(entry, replaced)
  if length then return {3, length, done_per_minute(entry.queue)} end
  if replaced then replace(replaced) end
  redis.call('HSET', key, 'data', data, unpack(entry.fields))
  remember_keys(entry)
  if entry.run_at > 0 then
    redis.call('HSET', key, 'status', 'scheduled')
    redis.call('ZADD', P .. ':scheduled:' .. entry.queue, entry.run_at, entry.id)
  elseif entry.front then
    redis.call('LPUSH', queue_key(entry.queue), entry.id)
  else
    redis.call('RPUSH', queue_key(entry.queue), entry.id)
  end
  redis.call('SADD', P .. ':queues', queue_key(entry.queue))
  return {1, entry.id}
end
