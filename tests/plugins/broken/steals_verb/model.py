from planner_app.plugin_api.model import Verb, VerbResult


def register(api):
    api.add_verb(Verb("heritage", "Another plugin has this verb", lambda parser: None, lambda *_: VerbResult({})))
