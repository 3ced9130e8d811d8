"""Good pipeline files that use everything the language has: what the fuzzer damages."""

from __future__ import annotations

FILES: dict[str, str] = {
    "three_lines": """\
version: 1
stages:
  - detect: {weights: yolo11n, classes: [person, car]}
  - draw.boxes
""",
    "plates": """\
# every language feature in one file
version: 1
description: Follow every vehicle and read its plate once in a while, not thirty times a second.
vars: {n: 10, min_score: 0.4, on: true}
stages:
  - detect: {id: cars, classes: [car, truck], min_score: $min_score}
  - toy.objects: {id: tracks, in: source, most: 3}
  - for_each:                       # a nested list, run on the crop of every object
      id: read
      in: tracks
      as: car
      pad: 0.05
      when: car.height > 80 and car.score >= 0.1
      every: {frames: $n, per: track}
      until: car.plate.score >= 0.9
      stages:
        - crop: {x: 0, y: 0, width: 1.0, height: 0.5, when: index % 2 == 0}
        - filter.clahe: {clip: 2.0, enabled: $on}
        - toy.score: {id: text}
      set:
        plate: best(text, window=5)
        mean_score: mean(text.score)
  - draw.boxes: {in: read, label: "#{track_id} {plate.score|-:.2f}", trail: 30}
outputs:
  - media: {path: "{source.relpath}"}
  - jsonl: {path: results.jsonl, in: [read, cars], when: cars.count > 0 or read.count > 0}
run: {batch: 4, workers: 2, device: cpu}
""",
    "branches": """\
version: 1
stages:
  - filter.blur: {id: soft, size: 5}
  - edges.canny: {id: edges, in: soft}
  - detect:
      id: people
      in: source
      classes: [person]
      min_score: 0.3
      when: index % 5 == 0 or pts > 1.5
  - detect: {id: cars, in: source, classes: ["car"], top_k: 20}
  - merge: {id: all, in: [people, cars]}
  - nms: {iou: 0.6, agnostic: true}
  - select:
      where: height > 20 and class_name in ["person", "car"]
  - draw.boxes: {in: {image: edges, objects: select}, label: "{class_name}"}
""",
    "tiles": """\
version: 1
vars:
  side: 320
stages:
  - tile: {id: tiles, width: $side, height: $side, overlap: 0.25}
  - for_each:
      id: each
      in: {objects: tiles, image: source}
      on_error: stop
      stages:
        - detect: {id: small, min_score: 0.5}
        - for_each:
            in: small
            as: thing
            stages:
              - classify: {id: kind}
            set: {kind: kind}
  - nms: {in: each.small}
  - draw.boxes: {in: nms}
exports: [nms]
""",
    "use": """\
stages:
  - use: {id: soft, file: included.yaml, vars: {size: 7}, in: source}
  - detect
  - draw.boxes: {in: {image: soft}}
""",
}

INCLUDED = """\
vars: {size: 3}
stages:
  - filter.blur: {size: $size}
  - filter.gamma
exports: [filter_gamma]
"""

HOSTILE: dict[str, str] = {
    "nothing": "",
    "blank": " \n\t\n",
    "null": "null",
    "a_word": "detect",
    "a_list": "- detect",
    "two_documents": "stages: []\n---\nstages: []\n",
    "python_tag": "stages: !!python/object/apply:os.system ['touch pwned']\n",
    "python_name": "stages: [!!python/name:os.system ]\n",
    "own_tag": "!<tag:example.org,2000:x> {stages: []}",
    "binary": "stages: !!binary aGVsbG8=",
    "merge_key": "a: &a {filter.blur: {size: 3}}\nstages:\n  - <<: *a\n",
    "self_alias": "stages: &a [*a, *a]\n",
    "self_alias_map": "&a {stages: [*a], vars: *a, outputs: *a}\n",
    "unknown_alias": "stages: [*nothing]\n",
    "double_anchor": "stages: [&a filter.blur, &a filter.gray, *a]\n",
    "bomb": "a: &a [x, x, x, x, x, x, x, x, x]\n"
    + "".join(f"{c}: &{c} [{', '.join(['*' + p] * 9)}]\n" for p, c in zip("abcdefgh", "bcdefghi", strict=True)),
    "deep_flow": "stages: " + "[" * 500,
    "deep_maps": "stages: " + "{a: " * 500,
    "deep_block": "".join("  " * i + "- a:\n" for i in range(60)),
    "deep_dashes": "- " * 500,
    "deep_questions": "? " * 500,
    "deep_colons": "stages:\n  - filter.blur: " + "a: " * 500,
    "nested_for_each": "stages:\n"
    + "".join(f"{'    ' * i}  - for_each:\n{'    ' * i}      stages:\n" for i in range(15)),
    "huge_number": "stages: [filter.blur: {size: " + "9" * 5000 + "}]",
    "huge_float": "stages: [filter.gamma: {gamma: 1e999999999}]",
    "infinity": "stages: [filter.gamma: {gamma: .inf}, filter.blur: {size: -.inf}]",
    "not_a_number": "stages: [detect: {min_score: .nan}, for_each: {pad: .nan, stages: []}]",
    "huge_cadence": "stages: [toy.objects, for_each: {every: 9999999999999999999, stages: [filter.blur]}]",
    "endless_seconds": "stages: [toy.objects, for_each: {every: {seconds: .inf}, stages: [filter.blur]}]",
    "no_seconds": "stages: [toy.objects, for_each: {every: {seconds: .nan}, stages: [filter.blur]}]",
    "octal": "stages: [filter.blur: {size: 0o777}, filter.blur: {size: 0x1F}, filter.blur: {size: 0b11}, "
    "filter.blur: {size: 010}]",
    "underscores": "stages: [filter.blur: {size: _}, filter.blur: {size: 1__0}, filter.gamma: {gamma: 1_0.0}, "
    "filter.gamma: {gamma: _1.}]",
    "sexagesimal": "stages: [filter.blur: {size: 12:30:45}]",
    "date": "stages: [filter.blur: {size: 2001-12-14t21:59:43.10-05:00}]",
    "keys_of_all_kinds": "1: 2\ntrue: 3\nnull: 4\n1.5: 6\n~: 7\n? [a, b]\n: c\n",
    "list_key": "stages:\n  - ? [a]\n    : b\n",
    "empty_key": "stages:\n  - : {size: 3}\n  - '': {size: 3}\n  - ? \n",
    "long_key": "stages: [" + "x" * 1500 + "]",
    "long_word": "stages: [filter.blur: {" + "s" * 900 + ": 3}]",
    "long_unquoted": "stages: [draw.boxes: {label: " + "a b " * 500 + "}]",
    "many_problems": "stages: [" + ", ".join(["nothing"] * 90) + "]",
    "nul": "stages: [filter.blur\0]",
    "nul_in_quotes": 'stages: [detect: {weights: "a\\0.pt"}, use: {file: "\\0"}]',
    "controls": "stages: [\x07\x1b[31m]",
    "surrogate": 'stages: [filter.blur: {id: "\\ud800"}]',
    "raw_surrogate": "stages: [\ud800]",
    "bidi": "stages: [filter.\u202eblur: {size: 3}]",
    "bom_inside": "stages:\n  - \ufefffilter.blur: {siz: 3}\n  - filter.blur: {siz\ufeffe: \ufeff3}\n",
    "odd_breaks": "stages:\r  - filter.blur: {siz: 3}\x85  - nothing\u2028  - nothing\u2029",
    "next_line": 'stages: [filter.blur: {when: "a\x85 > nothing", siz: 3}]',
    "tabs": "stages:\n\t- filter.blur\n",
    "homoglyph": "stages: [filter.blսr, dеtect]",
    "wide": "stages: [\U0001f600: {\U0001f600: 1}]",
    "percent": "%YAML 9.9\n---\nstages: []\n",
    "late_percent": "---\n%YAML 9.9\n---\nstages: []\n",
    "old_yaml": "%YAML 1.1\n---\nstages: [filter.blur: {enabled: no}]\n",
    "directive": "%TAG ! tag:example.org,2000:\n---\nstages: [!x y]\n",
    "markers": "stages: [a]\n...\n...\n---\n",
    "unclosed": "stages: ['",
    "unclosed_double": 'stages: ["\\',
    "bad_escape": 'stages: ["\\q"]',
    "block_text": "stages:\n  - draw.boxes:\n      label: |\n        {nothing}\n        {class_name\n",
    "folded_text": "stages:\n  - detect\n  - filter.blur:\n      when: >-\n        detect.count >\n        nothing\n",
    "plain_over_lines": ""
    "stages:\n  - detect\n  - filter.blur:\n      when: detect.count >\n        nothing and\n        more\n",
    "escaped_expression": 'stages: [detect, filter.blur: {when: "detect\\x2ecount > \\u006eothing"}]',
    "doubled_quotes": "stages: [detect, filter.blur: {when: 'detect.class_name == ''car'' and nothing'}]",
    "variable_in_expression": "vars: {long: detect.count + detect.count}\nstages: [detect, filter.blur: {when: $long > "
    "x}]",
    "undefined_everywhere": "stages: [$a: {$b: $c}, $d, filter.blur: {id: $e, in: $f, when: $g, enabled: $h, on_error: "
    "$i}]",
    "dollars": "vars: {a: $b, b: $$, $c: 1}\nstages: [filter.blur: {size: $a, id: $$$, when: $$$$$, in: $}]",
    "variables_of_all_kinds": "vars: {a: [1, {b: 2}], b: null, c: {d: e}}\nstages: [$a, filter.blur: {size: $a, "
    "id: $b, when: $c, "
    "in: $a}]",
    "device": "stages: [use: {file: /dev/zero}, use: {file: /dev/null}, use: {file: /dev/tty}]",
    "folder": "stages: [use: {file: .}, use: {file: ''}, use: {file: ..}, use: {file: ~}]",
    "long_path": "stages: [use: {file: " + "a" * 5000 + ".yaml}, detect: {weights: " + "b" * 5000 + ".pt}]",
    "long_parts": "stages: [use: {file: " + "a/" * 3000 + "b.yaml}]",
    "attributes": "stages: [filter.blur: {__class__: 1, model_config: {}, model_fields: 2, Params: 3, self: 4}]",
    "names_of_modules": "stages: [os.system, 'os:system', ../x, visionkit.stages.filters.blur, __import__]",
    "python": "stages: [python: {file: evil.py, function: f}, python: {file: /etc/passwd, function: __class__}]",
    "sinks_as_stages": "stages: [media, jsonl]\noutputs: [filter.blur, for_each, use]",
    "path_attack": "stages: [filter.blur]\noutputs: [jsonl: {path: ../../etc/x}, "
    "media: {path: '{source.path.__class__}'}]",
    "attack_in_when": "stages: [filter.blur: {when: \"__import__('os').system('touch pwned')\"}]",
    "attack_in_label": 'stages: [detect, draw.boxes: {label: "{class_name.__class__.__mro__}"}]',
    "attack_in_set": "stages: [toy.objects, for_each: {stages: [toy.score: {id: s}], set: {a: \"exec('x')\"}}]",
    "power_tower": "stages: [filter.blur: {when: 9**9**9**9 > 1}, filter.blur: {when: 9 ** 64 ** 64}]",
    "set_everything": "stages: [toy.objects, for_each: {set: [], when: [], until: {}, every: [], as: [], pad: "
    "[], in: [], "
    "id: [], stages: {}}]",
    "for_each_null": "stages: [toy.objects, for_each: , for_each: {}, for_each: [], for_each: {stages: }, "
    "for_each: {stages: x}]",
    "use_null": "stages: [use: , use: {}, use: [], use: {file: }, use: {file: []}, use: {file: included.yaml, "
    "vars: []}]",
    "top_of_wrong_kinds": "version: []\ndescription: {}\nvars: x\nstages: {}\noutputs: 5\nexports: {}\nrun: []\n",
    "keyword_columns": "stages: [toy.objects, for_each: {as: if, stages: [toy.score: {id: not}], set: {and: not.score, "
    "class: last(not)}}]",
    "empty_lists": "stages: [filter.blur: {in: []}, toy.mix: {in: {other: [], image: []}}, toy.objects: {id: a}, "
    "for_each: {in: {objects: []}, stages: [filter.blur]}, merge: {in: []}]\n"
    "outputs: [media: {in: []}, jsonl: {in: []}]",
    "self_reference": "stages: [filter.blur: {id: a, in: a}, filter.blur: {id: source}, filter.blur: {id: index, "
    "when: index > 2}]",
}
"""Texts that attack the reader: none may run anything, hang, or leave an error without its place."""
