-- Jobs that run: an entry of RQ's started registry "job:execution" is the lease.
-- Our executions are "<worker>.<number>"; their score lies MARGIN beyond the lease, so that the
-- maintenance of a stock worker, which fails what it finds expired, leaves ours to our reaper.
local MARGIN = 60
local LEVELS = {'critical', 'urgent', 'high', 'normal', 'low'}

local function member(id, execution) return id .. ':' .. execution end

local function forget_execution(id, execution, worker)
  redis.call('DEL', P .. ':execution:' .. member(id, execution))
  redis.call('ZREM', P .. ':executions:' .. id, execution)
  redis.call('SREM', P .. ':worker:' .. worker .. ':executions', member(id, execution))
end

-- Lets the longest blocked job of this key go ahead; it keeps its place before its level.
local function promote(limit)
  local id = redis.call('LPOP', own('blocked', limit))
  while id do
    local origin = redis.call('HGET', job_key(id), 'origin')
    -- A job that somebody deleted no longer says where it is counted.
    for _, level in ipairs(LEVELS) do redis.call('ZREM', own('blocked_at', level), id) end
    if origin then
      redis.call('LPUSH', queue_key(origin), id)
      break
    end
    id = redis.call('LPOP', own('blocked', limit))
  end
  if redis.call('EXISTS', own('blocked', limit)) == 0 then
    redis.call('SREM', own('blocked_keys'), limit)
  end
end

local function release(limit, level, id, execution)
  if not limit then return end
  redis.call('SREM', own('running', limit), level .. '|' .. member(id, execution))
  promote(limit)
end

-- Puts a job that ran back to the head of its queue.
local function put_back(id, level)
  redis.call('HSET', job_key(id), 'status', 'queued', 'worker_name', '')
  redis.call('LPUSH', queue_key(level), id)
end
