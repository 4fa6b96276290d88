-- Removes what every migrate builds anew: all of rollcall_api, and our views and functions in public.
do $$
declare v_drop text;
begin
  foreach v_drop in array array(
    select format('drop view if exists %s cascade', c.oid::regclass)
      from pg_class c
     where c.relnamespace = 'public'::regnamespace and c.relkind = 'v' and c.relowner = 'rollcall_owner'::regrole
    union all
    select format('drop routine if exists %s cascade', p.oid::regprocedure)
      from pg_proc p
     where p.pronamespace = 'rollcall_api'::regnamespace
        or (p.pronamespace = 'public'::regnamespace and p.proowner = 'rollcall_owner'::regrole)
  ) loop
    execute v_drop;
  end loop;
end $$;
