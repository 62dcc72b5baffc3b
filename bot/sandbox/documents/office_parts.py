"""The XML of a DOCX and a PPTX that is the same in every file, or nearly.

Source: ECMA-376, parts 1 and 2: what a package has to hold for Word and PowerPoint to open it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_OPEN = "http://schemas.openxmlformats.org"
_KIND = "application/vnd.openxmlformats-officedocument"
_RELATED = f"{_OPEN}/officeDocument/2006/relationships"
_DECK = (
    f'xmlns:a="{_OPEN}/drawingml/2006/main" xmlns:r="{_RELATED}" xmlns:p="{_OPEN}/presentationml/2006/main"'
)
_EMU = 914_400  # in an inch

WORD = f"{_KIND}.wordprocessingml.document.main+xml"
WORD_STYLES = {"/word/styles.xml": f"{_KIND}.wordprocessingml.styles+xml"}
SLIDE = f"{_KIND}.presentationml.slide+xml"
DECK = {
    "/ppt/presentation.xml": f"{_KIND}.presentationml.presentation.main+xml",
    "/ppt/slideMasters/slideMaster1.xml": f"{_KIND}.presentationml.slideMaster+xml",
    "/ppt/slideLayouts/slideLayout1.xml": f"{_KIND}.presentationml.slideLayout+xml",
    "/ppt/theme/theme1.xml": f"{_KIND}.theme+xml",
}
CORE = {"rId2": ("core", "docProps/core.xml")}


def content_types(parts: Mapping[str, str]) -> str:
    core = {"/docProps/core.xml": "application/vnd.openxmlformats-package.core-properties+xml"}
    named = "".join(
        f'<Override PartName="{p}" ContentType="{kind}"/>' for p, kind in {**parts, **core}.items()
    )
    usual = (
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
    )
    return f'{_XML}<Types xmlns="{_OPEN}/package/2006/content-types">{usual}{named}</Types>'


def relations(related: Mapping[str, tuple[str, str]]) -> str:
    core = f"{_OPEN}/package/2006/relationships/metadata/core-properties"
    kinds = {key: core if kind == "core" else f"{_RELATED}/{kind}" for key, (kind, _) in related.items()}
    rows = "".join(
        f'<Relationship Id="{key}" Type="{kinds[key]}" Target="{target}"/>'
        for key, (_, target) in related.items()
    )
    return f'{_XML}<Relationships xmlns="{_OPEN}/package/2006/relationships">{rows}</Relationships>'


def core(title: str) -> str:
    spaces = f'xmlns:cp="{_OPEN}/package/2006/metadata/core-properties" xmlns:dc="http://purl.org/dc/elements/1.1/"'
    return f"{_XML}<cp:coreProperties {spaces}><dc:title>{escape(title)}</dc:title></cp:coreProperties>"


WORD_OPENING = f'{_XML}<w:document xmlns:w="{_OPEN}/wordprocessingml/2006/main"><w:body>'
WORD_END = '<w:sectPr><w:pgSz w:w="11906" w:h="16838"/></w:sectPr></w:body></w:document>'


def _style(key: str, name: str, look: str) -> str:
    usual = ' w:default="1"' if key == "Normal" else ""
    return f'<w:style w:type="paragraph" w:styleId="{key}"{usual}><w:name w:val="{name}"/>{look}</w:style>'


def _heading(level: int, size: int) -> str:
    look = f'<w:pPr><w:outlineLvl w:val="{level - 1}"/></w:pPr><w:rPr><w:b/><w:sz w:val="{size}"/></w:rPr>'
    return _style(f"Heading{level}", f"heading {level}", look)


STYLES = (
    f'{_XML}<w:styles xmlns:w="{_OPEN}/wordprocessingml/2006/main">'
    + _style("Normal", "Normal", '<w:rPr><w:sz w:val="22"/></w:rPr>')
    + _heading(1, 36)
    + _heading(2, 26)
    + _style("ListBullet", "List Bullet", '<w:pPr><w:ind w:left="360"/></w:pPr>')
    + "</w:styles>"
)

_TREE = (
    '<p:cSld><p:spTree><p:nvGrpSpPr><p:cNvPr id="1" name=""/><p:cNvGrpSpPr/><p:nvPr/></p:nvGrpSpPr>'
    "<p:grpSpPr/>"
)
_TREE_END = "</p:spTree></p:cSld>"
SLIDE_OPENING = f"{_XML}<p:sld {_DECK}>{_TREE}"
SLIDE_END = f"{_TREE_END}<p:clrMapOvr><a:masterClrMapping/></p:clrMapOvr></p:sld>"


def presentation(slides: int) -> str:
    listed = "".join(f'<p:sldId id="{255 + at}" r:id="rId{at + 1}"/>' for at in range(1, slides + 1))
    return (
        f'{_XML}<p:presentation {_DECK}><p:sldMasterIdLst><p:sldMasterId id="2147483648" r:id="rId1"/>'
        f"</p:sldMasterIdLst><p:sldIdLst>{listed}</p:sldIdLst>"
        '<p:sldSz cx="12192000" cy="6858000"/><p:notesSz cx="6858000" cy="9144000"/></p:presentation>'
    )


def shape(key: int, role: str, lines: Sequence[tuple[str, bool]], *, top: float, height: float) -> str:
    """A box of text on a slide, `top` and `height` in inches; a line is (text, has a bullet)."""
    size = 3200 if role == "title" else 1800
    written = "".join(_slide_line(text, size, point=point) for text, point in lines)
    return (
        f'<p:sp><p:nvSpPr><p:cNvPr id="{key}" name="{role} {key}"/><p:cNvSpPr/><p:nvPr>'
        f'<p:ph type="{role}"/></p:nvPr></p:nvSpPr>'
        f"<p:spPr><a:xfrm>{_place(top, height)}</a:xfrm></p:spPr>"
        f"<p:txBody><a:bodyPr/>{written}</p:txBody></p:sp>"
    )


def _slide_line(text: str, size: int, *, point: bool) -> str:
    look = '<a:pPr marL="285750"><a:buChar char="\u2022"/></a:pPr>' if point else "<a:pPr><a:buNone/></a:pPr>"
    run = f'<a:r><a:rPr lang="en-GB" sz="{size}"/><a:t>{escape(text)}</a:t></a:r>'
    return f"<a:p>{look}{run}</a:p>"


def _place(top: float, height: float) -> str:
    left, width = round(0.6 * _EMU), round(12.1 * _EMU)
    at = f'<a:off x="{left}" y="{round(top * _EMU)}"/>'
    return f'{at}<a:ext cx="{width}" cy="{round(height * _EMU)}"/>'


def table(key: int, rows: Sequence[Sequence[str]], *, top: float) -> str:
    wide = round(12.1 * _EMU / len(rows[0]))
    columns = f'<a:gridCol w="{wide}"/>' * len(rows[0])
    written = "".join(f'<a:tr h="370840">{"".join(map(_cell, row))}</a:tr>' for row in rows)
    return (
        f'<p:graphicFrame><p:nvGraphicFramePr><p:cNvPr id="{key}" name="table {key}"/>'
        f"<p:cNvGraphicFramePr/><p:nvPr/></p:nvGraphicFramePr>"
        f"<p:xfrm>{_place(top, 0.4 * len(rows))}</p:xfrm>"
        f'<a:graphic><a:graphicData uri="{_OPEN}/drawingml/2006/table"><a:tbl>'
        f'<a:tblPr firstRow="1"/><a:tblGrid>{columns}</a:tblGrid>'
        f"{written}</a:tbl></a:graphicData></a:graphic></p:graphicFrame>"
    )


def _cell(text: str) -> str:
    run = f'<a:r><a:rPr lang="en-GB" sz="1600"/><a:t>{escape(text)}</a:t></a:r>'
    return f"<a:tc><a:txBody><a:bodyPr/><a:p>{run}</a:p></a:txBody><a:tcPr/></a:tc>"


_COLOURS = {
    "dk1": "1F1F1F",
    "lt1": "FFFFFF",
    "dk2": "33403A",
    "lt2": "EFEDE6",
    **{
        f"accent{n}": c for n, c in enumerate(("4A7A5C", "B5803A", "5A6FA8", "A8505A", "6B8E9E", "8A7A4A"), 1)
    },
    "hlink": "2A5DB0",
    "folHlink": "6A4A8A",
}
_SCHEME = "".join(f'<a:{name}><a:srgbClr val="{value}"/></a:{name}>' for name, value in _COLOURS.items())
_FONT = '<a:latin typeface="Calibri"/><a:ea typeface=""/><a:cs typeface=""/>'
_FILL = '<a:solidFill><a:schemeClr val="phClr"/></a:solidFill>'
_THEME = (
    f'{_XML}<a:theme xmlns:a="{_OPEN}/drawingml/2006/main" name="Plain"><a:themeElements>'
    f'<a:clrScheme name="Plain">{_SCHEME}</a:clrScheme><a:fontScheme name="Plain">'
    f"<a:majorFont>{_FONT}</a:majorFont>"
    f'<a:minorFont>{_FONT}</a:minorFont></a:fontScheme><a:fmtScheme name="Plain"><a:fillStyleLst>{_FILL * 3}'
    f"</a:fillStyleLst><a:lnStyleLst>{f'<a:ln>{_FILL}</a:ln>' * 3}</a:lnStyleLst><a:effectStyleLst>"
    f"{'<a:effectStyle><a:effectLst/></a:effectStyle>' * 3}</a:effectStyleLst><a:bgFillStyleLst>{_FILL * 3}"
    "</a:bgFillStyleLst></a:fmtScheme></a:themeElements></a:theme>"
)
_MAP = (
    '<p:clrMap bg1="lt1" tx1="dk1" bg2="lt2" tx2="dk2" accent1="accent1" accent2="accent2" accent3="accent3" '
    'accent4="accent4" accent5="accent5" accent6="accent6" hlink="hlink" folHlink="folHlink"/>'
)
MASTER = {
    "ppt/slideMasters/slideMaster1.xml": (
        f"{_XML}<p:sldMaster {_DECK}>{_TREE}{_TREE_END}{_MAP}"
        '<p:sldLayoutIdLst><p:sldLayoutId id="2147483649" r:id="rId1"/></p:sldLayoutIdLst></p:sldMaster>'
    ),
    "ppt/slideMasters/_rels/slideMaster1.xml.rels": relations(
        {
            "rId1": ("slideLayout", "../slideLayouts/slideLayout1.xml"),
            "rId2": ("theme", "../theme/theme1.xml"),
        }
    ),
    "ppt/slideLayouts/slideLayout1.xml": (
        f'{_XML}<p:sldLayout {_DECK} type="obj">{_TREE}{_TREE_END}'
        "<p:clrMapOvr><a:masterClrMapping/></p:clrMapOvr></p:sldLayout>"
    ),
    "ppt/slideLayouts/_rels/slideLayout1.xml.rels": relations(
        {"rId1": ("slideMaster", "../slideMasters/slideMaster1.xml")}
    ),
    "ppt/theme/theme1.xml": _THEME,
}
