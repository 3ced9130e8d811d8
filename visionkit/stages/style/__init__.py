"""Pictures painted in the style of others, by networks that know a style, read it from a picture, or only judge."""

STAGES = {
    "style.arbitrary": "arbitrary:Arbitrary",
    "style.fast": "fast:Fast",
    "style.gatys": "gatys:Gatys",
}
