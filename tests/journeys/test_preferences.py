"""A user's own keys, and a way back through history, in a real window."""


def test_a_key_of_ones_own_is_set_used_and_kept(musician, tmp_path):
    soli = musician("demo")
    whole = soli.waits("the demo", lambda s: len(s["notes"]) == 558 and not s["busy"])["view"]
    soli.clicks("Piano roll")
    soli.window.key("F1")
    soli.waits("the preferences", lambda s: s["dialog"] == "Preferences")
    soli.window.type("about soli")
    soli.window.key("Return", "F9")
    # Given to another command, a key asks first; then it is the other's.
    soli.clicks("Find a command or a key", times=3)
    soli.window.type("fit the whole")
    soli.window.key("Return", "F9")
    soli.clicks("Replace")
    soli.window.key("Escape")
    soli.waits("the dialog's end", lambda s: not s["dialog"])
    kept = soli.program.wait_until(lambda: next((tmp_path / "home").rglob("settings.toml"), None), "the settings file")
    soli.program.wait_until(lambda: '"fit" = ["F9"]' in kept.read_text(), "the key in the settings")

    soli.window.key("equal", "equal")
    soli.waits("a closer view", lambda s: s["view"][1] > 1.5 * whole[1])
    soli.window.key("F9")
    soli.waits("the whole piece", lambda s: s["view"][1] < whole[1])


def test_a_click_in_the_history_goes_back(musician):
    soli = musician("demo")
    before = soli.waits("the demo", lambda s: len(s["notes"]) == 558 and not s["busy"])["notes"]
    soli.clicks("Piano roll")
    soli.window.key("ctrl+a", "Up", "Up", "Delete")
    soli.waits("three steps", lambda s: len(s["done"]) >= 2 and not s["notes"])
    soli.window.key("ctrl+h")
    x, y, _, _ = soli.waits("the list of steps", lambda s: "Steps" in s["controls"])["controls"]["Steps"]
    soli.window.click(x + 40, y + 12)
    soli.waits("the beginning", lambda s: s["notes"] == before and not s["done"])
