-- Notes how far jobs are. ARGV[1]: msgpack {job id = JSON}.
for id, text in pairs(cmsgpack.unpack(ARGV[1])) do
  if redis.call('EXISTS', job_key(id)) == 1 then redis.call('HSET', job_key(id), 'progress', text) end
end
return 1
