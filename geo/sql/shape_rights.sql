-- Public to everyone who is signed in, like the borders that the shapes are drawn from.
GRANT SELECT ON area_shape TO ancu_runtime
