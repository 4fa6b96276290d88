-- Who may do what. Last in every migrate, when all functions and views stand.
-- The server calls the functions that enter a tenant; what those call in turn is nobody else's.
revoke all on all functions in schema rollcall_api from public;
grant usage on schema rollcall_api to rollcall_server;
do $$
declare v_function regprocedure;
begin
  for v_function in
    select p.oid from pg_proc p where p.pronamespace = 'rollcall_api'::regnamespace and p.prosecdef
  loop
    execute format('grant execute on function %s to rollcall_server', v_function);
  end loop;
end $$;

-- Functions inside a view run with the reader's rights.
grant execute on function rollcall_api.latency_quantiles(bigint[]), rollcall_api.latency_value(int) to public;

do $$
declare
  v_role text;
  v_object text;
begin
  foreach v_role in array array['rollcall_reader', 'rollcall_server', 'authenticated'] loop
    continue when not exists (select from pg_roles where rolname = v_role);
    for v_object in
      select c.oid::regclass::text from pg_class c
       where c.relnamespace = 'public'::regnamespace and c.relkind = 'v' and c.relowner = 'rollcall_owner'::regrole
    loop
      execute format('grant select on %s to %I', v_object, v_role);
    end loop;
    execute format('grant execute on function public.check_registration_gaps() to %I', v_role);
  end loop;
end $$;

revoke all on function public.register_entity, public.update_entity_state, public.check_registration_gaps from public;
grant execute on function public.register_entity, public.update_entity_state to rollcall_server;

-- A PostgREST that is running learns of the new functions; where there is none, nobody listens.
notify pgrst, 'reload schema';
