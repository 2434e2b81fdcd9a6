"""Chromium, for what runs only in a browser: shaders, and the pages made of models."""

import shutil

import numpy as np
import pytest
from cppn_native import export

CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
READING = ("GPU stall", "willReadFrequently")  # what a browser has to say about tests that read pixels back
ARGUMENTS = [
    "--no-sandbox",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-background-networking",
    "--disable-frame-rate-limit",  # else a headless page gets one frame a second
]
# Keeps what WebGL drew, to be read later; and hides WebGL from a page that is to do without.
KEEP = """const get=HTMLCanvasElement.prototype.getContext;
HTMLCanvasElement.prototype.getContext=function(k,o){
return k=="webgl2"&&%s?null:get.call(this,k,{...o,preserveDrawingBuffer:true})}"""
READ = """() => {
const c=document.querySelector("canvas"),w=c.width,h=c.height,kind=c.dataset.done;
let d;
if(kind=="2d")d=c.getContext("2d").getImageData(0,0,w,h).data;
else{const gl=c.getContext("webgl2");d=new Uint8Array(4*w*h);gl.readPixels(0,0,w,h,gl.RGBA,gl.UNSIGNED_BYTE,d)}
return[kind,w,h,[...d]]}"""
SHADER = """([source,w,h,region]) => {
const c=document.createElement("canvas");c.width=w;c.height=h;
const gl=c.getContext("webgl2",{premultipliedAlpha:false}),p=gl.createProgram();
const vertex="#version 300 es\\nvoid main(){gl_Position=vec4(gl_VertexID==1?3:-1,gl_VertexID==2?3:-1,0,1);}";
for(const[k,s]of[[gl.VERTEX_SHADER,vertex],[gl.FRAGMENT_SHADER,source]]){
const o=gl.createShader(k);gl.shaderSource(o,s);gl.compileShader(o);
if(!gl.getShaderParameter(o,gl.COMPILE_STATUS))throw Error(gl.getShaderInfoLog(o));
gl.attachShader(p,o)}
gl.linkProgram(p);gl.useProgram(p);
gl.uniform2f(gl.getUniformLocation(p,"resolution"),w,h);
gl.uniform3f(gl.getUniformLocation(p,"iResolution"),w,h,1);
gl.uniform4f(gl.getUniformLocation(p,"region"),...region);
gl.drawArrays(gl.TRIANGLES,0,3);
const d=new Uint8Array(4*w*h);gl.readPixels(0,0,w,h,gl.RGBA,gl.UNSIGNED_BYTE,d);
return[...d]}"""
SHADERTOY = """#version 300 es
precision highp float;
#define HW_PERFORMANCE 1
uniform vec3 iResolution;
out vec4 shown;
%s
void main(){mainImage(shown,gl_FragCoord.xy);}"""
REGION = "() => {const g=geometry();return[-g.x/g.sw,-g.y/g.sh,(g.w-g.x)/g.sw,(g.h-g.y)/g.sh]}"
WEBGL = {"webgl": "false", "2d": "true"}


@pytest.fixture(scope="session")
def chromium():
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed")
    with playwright.sync_playwright() as p:
        browser = p.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium, tmp_path):
    """Opens the exported page of a model, and fails if it complains or asks for anything but itself."""
    contexts, complaints, requests = [], [], []

    def start(model, kind="webgl", size=None, **options):
        export.export(model, tmp_path / "out.html", verify=False)
        width, height = size or model.size
        context = chromium.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        page.add_init_script(KEEP % WEBGL[kind])
        page.goto((tmp_path / "out.html").as_uri())
        page.wait_for_selector("canvas[data-done]")
        return page

    yield start
    for context in contexts:
        context.close()
    assert not [text for text in complaints if not any(word in text for word in READING)]
    assert [url for url in requests if not url.startswith("data:")] == [(tmp_path / "out.html").as_uri()]


def read(page, kind):
    """What the canvas holds, (H, W, 4)."""
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    page.wait_for_selector("canvas[data-done]")
    found, width, height, data = page.evaluate(READ)
    assert found == kind
    pixels = np.array(data, np.uint8).reshape(height, width, 4)
    return pixels[::-1] if kind == "webgl" else pixels
