"""Pictures painted in the style of others, by networks that know a style or read it from a picture."""

STAGES = {
    "style.arbitrary": "arbitrary:Arbitrary",
    "style.fast": "fast:Fast",
}
