-- After a lost answer: executions that this worker was given but never heard of go back at once.
-- ARGV[1]: msgpack {worker, levels, known = {execution = true}}. Answers how many.
local c = cmsgpack.unpack(ARGV[1])
local prefix, found = c.worker .. '.', 0
for _, level in ipairs(c.levels) do
  for _, entry in ipairs(redis.call('ZRANGE', wip_key(level), 0, -1)) do
    local id, execution = string.match(entry, '^(.*):([^:]*)$')
    if id and string.sub(execution, 1, #prefix) == prefix and not c.known[execution] then
      redis.call('ZREM', wip_key(level), entry)
      release(redis.call('HGET', job_key(id), 'limit_key'), level, id, execution)
      if redis.call('EXISTS', job_key(id)) == 1 then
        put_back(id, level)
        found = found + 1
      end
    end
  end
end
return found
