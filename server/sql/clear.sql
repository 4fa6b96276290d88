-- Removes what every migrate builds anew: all of rollcall_api, and our views and functions in public.
-- In one statement per kind and without cascade: what others have built on them is never dropped along.
do $$
declare v_ours text;
begin
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
