-- Removes what every migrate builds anew: all of rollcall_api with its triggers, and our views and functions in public.
-- In one statement per kind and without cascade: what others have built on them is never dropped along.
do $$
declare
  v_ours    text;
  v_trigger record;
begin
  for v_trigger in
    select t.tgname, t.tgrelid::regclass as relation
      from pg_trigger t join pg_proc p on p.oid = t.tgfoid
     where p.pronamespace = 'rollcall_api'::regnamespace and not t.tgisinternal and t.tgparentid = 0
  loop
    execute format('drop trigger %I on %s', v_trigger.tgname, v_trigger.relation);
  end loop;

  select string_agg(c.oid::regclass::text, ', ') into v_ours
    from pg_class c
   where c.relnamespace = 'public'::regnamespace and c.relkind = 'v' and c.relowner = 'rollcall_owner'::regrole;
  if v_ours is not null then
    execute 'drop view ' || v_ours;
  end if;

  select string_agg(p.oid::regprocedure::text, ', ') into v_ours
    from pg_proc p
   where p.pronamespace = 'rollcall_api'::regnamespace
      or (p.pronamespace = 'public'::regnamespace and p.proowner = 'rollcall_owner'::regrole);
  if v_ours is not null then
    execute 'drop routine ' || v_ours;
  end if;
end $$;
