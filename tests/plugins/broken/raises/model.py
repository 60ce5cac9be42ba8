def register(api):
    api.add_verb(None)  # registered before the failure: must not survive it
    raise ZeroDivisionError("a bug of the plugin's own")
