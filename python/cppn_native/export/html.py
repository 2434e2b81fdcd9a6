"""A model as a page: WebGL 2, or a 2-D canvas where there is none, to zoom and pan; one file, no request.

The page holds the levels once. JavaScript decodes them, and writes the neurons of the shader from them.
"""

from __future__ import annotations

from . import glsl, js
from .expression import Picture, Program
from .packing import fill

__all__ = ["banded", "shell", "source", "texture"]

_PAGE = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1,viewport-fit=cover">
<title>A picture computed from @count@ numbers</title>
<link rel="icon" href="data:,">
<style>
html,body{margin:0;height:100%;overflow:hidden;background:@paper@;overscroll-behavior:none}
canvas{position:fixed;inset:0;width:100%;height:100%;touch-action:none;cursor:grab;outline:0}
canvas:active{cursor:grabbing}
p{position:fixed;left:50%;bottom:calc(16px + env(safe-area-inset-bottom));transform:translateX(-50%);margin:0;\
padding:.5em 1em;border-radius:2em;background:#000a;color:#fff;font:14px/1.4 system-ui,sans-serif;white-space:nowrap;\
pointer-events:none;transition:opacity .6s}
p.off{opacity:0}
</style>
<p></p>
<script>
"use strict";
@core@@view@@webgl@@canvas@@input@</script>
</html>
"""

# A view is zoom and the place in the middle; geometry() turns it into the picture's rectangle in device pixels.
_VIEW = """\
const W=@width@,H=@height@,hint=document.querySelector("p");
let c,paint,zoom=1,cx=.5,cy=.5,queued=0,busy=0,next=0;
function geometry(){
const w=c.width,h=c.height,s=Math.min(w/W,h/H)*zoom,sw=W*s,sh=H*s,
hold=(v,r)=>r<=1?.5:Math.min(1-.5/r,Math.max(.5/r,v));
cx=hold(cx,sw/w);cy=hold(cy,sh/h);
return{w,h,sw,sh,x:Math.round(w/2-cx*sw),y:Math.round(h/2-cy*sh)}}
function frame(){
queued=0;
const d=devicePixelRatio,w=Math.max(1,Math.round(innerWidth*d)),h=Math.max(1,Math.round(innerHeight*d));
if(c.width!=w||c.height!=h){c.width=w;c.height=h}
paint(geometry())}
function draw(){queued=queued||requestAnimationFrame(frame)}
function start(){
if(c)c.remove();
c=document.createElement("canvas");c.setAttribute("role","img");c.setAttribute("aria-label",document.title);
document.body.prepend(c);listen()}
"""

_WEBGL = """\
function webgl(){
const gl=c.getContext("webgl2",{premultipliedAlpha:false,antialias:false@options@});
if(!gl)return 0;
let r;
const build=()=>{
const p=gl.createProgram();
for(const[k,s]of[[gl.VERTEX_SHADER,`#version 300 es
void main(){gl_Position=vec4(gl_VertexID==1?3:-1,gl_VertexID==2?3:-1,0,1);}`],[gl.FRAGMENT_SHADER,`#version 300 es
precision highp float;uniform vec4 r;out vec4 color;
${network()}
void main(){vec2 p=gl_FragCoord.xy*r.xy+r.zw;color=p==clamp(p,0.,1.)?cppn(p):vec4(0);}`]]){
const o=gl.createShader(k);gl.shaderSource(o,s);gl.compileShader(o);gl.attachShader(p,o)}
gl.linkProgram(p);
if(!gl.getProgramParameter(p,gl.LINK_STATUS))return 0;
gl.useProgram(p);r=gl.getUniformLocation(p,"r");return upload(gl)};
if(!build())return 0;
c.addEventListener("webglcontextlost",e=>e.preventDefault());
c.addEventListener("webglcontextrestored",()=>{build();draw()});
paint=g=>{
gl.viewport(0,0,g.w,g.h);
gl.uniform4f(r,1/g.sw,-1/g.sh,-g.x/g.sw,(g.h-g.y)/g.sh);
@draw@};
return 1}
"""

# Coarse at once, then finer in slices of time, so that the page stays quick; what is shown is only ever replaced by
# something finished.
_CANVAS = """\
function canvas2d(){
const x=c.getContext("2d");
let job=0,shown;
const show=g=>{
x.clearRect(0,0,g.w,g.h);
if(shown)x.drawImage(shown.b,g.x+shown.l*g.sw,g.y+shown.t*g.sh,shown.w*g.sw,shown.h*g.sh)};
paint=g=>{
const mine=++job,l=Math.max(0,g.x),t=Math.max(0,g.y),
w=Math.min(g.w,Math.round(g.x+g.sw))-l,h=Math.min(g.h,Math.round(g.y+g.sh))-t;
delete c.dataset.done;show(g);
const pass=q=>{
const bw=Math.ceil(w/q),bh=Math.ceil(h/q),m=new ImageData(bw,bh);
let j=0;
const slice=()=>{
if(mine!=job)return;
for(const end=performance.now()+12;j<bh&&(q>@whole@||performance.now()<end);j++)
for(let i=0;i<bw;i++)pixel((l+(i+.5)*q-g.x)/g.sw,(t+(j+.5)*q-g.y)/g.sh,m.data,4*(j*bw+i));
if(j<bh)return setTimeout(slice);
const b=document.createElement("canvas");b.width=bw;b.height=bh;b.getContext("2d").putImageData(m,0,0);
shown={b,l:(l-g.x)/g.sw,t:(t-g.y)/g.sh,w:bw*q/g.sw,h:bh*q/g.sh};
show(g);
if(q>1)setTimeout(pass,0,q>8?8:q>4?3:1);else c.dataset.done="2d"};
slice()};
if(w>0&&h>0)pass(@first@)}}
"""

_INPUT = """\
function scale(f,x,y){
const g=geometry(),old=zoom;
zoom=Math.min(2000,Math.max(1,zoom*f));
const k=zoom/old;
cx=(g.w/2-x)/(g.sw*k)+(x-g.x)/g.sw;cy=(g.h/2-y)/(g.sh*k)+(y-g.y)/g.sh;
changed()}
function move(x,y){const g=geometry();cx-=x/g.sw;cy-=y/g.sh;changed()}
function changed(){hint.className="off";draw()}
function listen(){
const on=new Map,at=e=>[e.clientX*devicePixelRatio,e.clientY*devicePixelRatio],
middle=()=>{const v=[...on.values()],n=v.length,x=v.reduce((s,p)=>s+p[0],0)/n,y=v.reduce((s,p)=>s+p[1],0)/n;
return[x,y,n>1?Math.hypot(v[0][0]-v[1][0],v[0][1]-v[1][1]):1]};
c.onpointerdown=e=>{c.setPointerCapture(e.pointerId);on.set(e.pointerId,at(e))};
c.onpointerup=c.onpointercancel=e=>on.delete(e.pointerId);
c.onpointermove=e=>{
if(!on.has(e.pointerId))return;
const[x,y,d]=middle();
on.set(e.pointerId,at(e));
const[u,v,s]=middle();
move(u-x,v-y);
if(on.size>1)scale(s/(d||1),u,v)};
c.addEventListener("wheel",e=>{
e.preventDefault();
scale(Math.exp(-e.deltaY*(e.deltaMode?.05:e.ctrlKey?.01:.0015)),...at(e))},{passive:false});
c.ondblclick=e=>scale(2,...at(e))}
addEventListener("keydown",e=>{
if(e.ctrlKey||e.metaKey||e.altKey)return;
const w=c.width/2,h=c.height/2,
f={ArrowLeft:()=>move(w/5,0),ArrowRight:()=>move(-w/5,0),ArrowUp:()=>move(0,h/5),ArrowDown:()=>move(0,-h/5),
"+":()=>scale(1.25,w,h),"=":()=>scale(1.25,w,h),"-":()=>scale(.8,w,h),0:()=>{zoom=1;cx=cy=.5;changed()}}[e.key];
if(f){e.preventDefault();f()}});
addEventListener("resize",draw);
hint.textContent=matchMedia("(pointer:coarse)").matches?"Drag to move · pinch to zoom":\
"Drag to move · scroll to zoom · 0 for all";
setTimeout(()=>hint.className="off",5000);
start();
if(!webgl()){start();canvas2d()}
draw();
"""


_NETWORK = """\
function network(){
let g=`@preamble@@begin@`,i=0;
const at=j=>"v"+(j>>2)+"."+"xyzw"[j&3];
for(let n=0;n<N;n++){
const t=[],m=D+n;
for(let j=0;j<m;j+=4)t.push(`dot(v${j>>2},vec4(${[0,1,2,3].map(q=>j+q<m?L[i+j+q]:0)}))`);
i+=m;
const o=n-N+@channels@,z=`f${K[n]}(${t.join("+")})`;
g+=o<0?`${at(m)}=B*${z};\\n`:`o.${"xyzw"[o]}=${z};${at(m)}=B*o.${"xyzw"[o]};\\n`}
return g+`@end@`}
const upload=gl=>1;
"""

_AT_ONCE = """\
gl.drawArrays(gl.TRIANGLES,0,3);
c.dataset.done="webgl"\
"""

# Numbers in a float texture, whose rows have 1024 texels of four.
_TEXTURE = """\
const network=()=>`uniform highp sampler2D t;
#define W(k) texelFetch(t,ivec2((k)&1023,(k)>>10),0)
@network@`;
function upload(gl){
@numbers@
const rows=Math.ceil(d.length/4096),a=new Float32Array(4096*rows);
a.set(d);
if(rows>gl.getParameter(gl.MAX_TEXTURE_SIZE))return 0;
gl.bindTexture(gl.TEXTURE_2D,gl.createTexture());
gl.texParameteri(gl.TEXTURE_2D,gl.TEXTURE_MIN_FILTER,gl.NEAREST);
gl.texParameteri(gl.TEXTURE_2D,gl.TEXTURE_MAG_FILTER,gl.NEAREST);
gl.texImage2D(gl.TEXTURE_2D,0,gl.RGBA32F,1024,rows,0,gl.RGBA,gl.FLOAT,a);
return 1}
"""

# A frame of a large network may take seconds, and drivers end what takes too long: first all of it coarsely, then
# bands, each begun when the one before is done, higher when that was quick. What is wanted meanwhile waits for the end
# of a band. A GPU that needs a second for a band is none, or slower than a processor, and leaves it to the canvas.
_BANDS = """\
delete c.dataset.done;
if(busy){next=g;return}
const own=c,q=Math.ceil(Math.sqrt(g.w*g.h*@cost@/@budget@)),
then=step=>{
const begun=performance.now(),f=gl.fenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE,0),
poll=()=>{
if(f&&gl.getSyncParameter(f,gl.SYNC_STATUS)==gl.UNSIGNALED)return setTimeout(poll,2);
gl.deleteSync(f);
busy=0;
if(own!=c||gl.isContextLost())return;
if(next){const n=next;next=0;paint(n)}else step(performance.now()-begun)};
gl.flush();busy=1;setTimeout(poll)},
place=s=>gl.uniform4f(r,s/g.sw,-s/g.sh,-g.x/g.sw,(g.h-g.y)/g.sh);
let top=g.h,rows=Math.ceil(g.h/q**2);
const band=()=>{
top-=rows;
gl.viewport(0,0,g.w,g.h);place(1);
gl.enable(gl.SCISSOR_TEST);gl.scissor(0,Math.max(0,top),g.w,rows+Math.min(0,top));
gl.drawArrays(gl.TRIANGLES,0,3);
gl.disable(gl.SCISSOR_TEST);
if(top<=0)c.dataset.done="webgl";
else then(took=>{
if(took>@patience@){start();canvas2d();draw();return}
if(took<30)rows*=2;
band()})};
if(q<2)return band();
const w=Math.ceil(g.w/q),h=Math.ceil(g.h/q),f=gl.createFramebuffer(),b=gl.createRenderbuffer();
gl.bindFramebuffer(gl.FRAMEBUFFER,f);gl.bindRenderbuffer(gl.RENDERBUFFER,b);
gl.renderbufferStorage(gl.RENDERBUFFER,gl.RGBA8,w,h);
gl.framebufferRenderbuffer(gl.FRAMEBUFFER,gl.COLOR_ATTACHMENT0,gl.RENDERBUFFER,b);
gl.viewport(0,0,w,h);place(q);
gl.drawArrays(gl.TRIANGLES,0,3);
gl.bindFramebuffer(gl.DRAW_FRAMEBUFFER,null);
gl.blitFramebuffer(0,0,w,h,0,0,w*q,h*q,gl.COLOR_BUFFER_BIT,gl.NEAREST);
gl.bindFramebuffer(gl.FRAMEBUFFER,null);
gl.deleteFramebuffer(f);gl.deleteRenderbuffer(b);
then(band)\
"""
_BUDGET = "1e8"
"""Multiplications of the first steps: some milliseconds of a fast GPU, a tenth of a second of a slow one."""

_PATIENCE = 1000
"""Milliseconds that a step may take."""


def source(program: Program) -> str:
    """The page's text."""
    network = fill(
        _NETWORK,
        preamble=glsl.preamble(program),
        begin=glsl.begin(program),
        end=glsl.end(program),
        channels=program.channels,
    )
    return shell(program, js.core(program), network, count=len(program.levels))


def texture(network: str, numbers: str) -> str:
    """``network()`` and ``upload(gl)`` for GLSL that reads its numbers by ``W(k)``, four each, from a texture.

    numbers  JavaScript that defines the list d of them, or returns 0 if the canvas has to do
    """
    return fill(_TEXTURE, network=network, numbers=numbers)


def banded(cost: int) -> tuple[str, str]:
    """``draw`` and ``options`` of a page whose pixels cost so many multiplications each, to be drawn in bands."""
    options = ",preserveDrawingBuffer:true"  # bands stay until the next ones are there
    return fill(_BANDS, cost=cost, budget=_BUDGET, patience=_PATIENCE), options


def shell(
    picture: Picture, core: str, network: str, *, count: int, draw: str = _AT_ONCE, options: str = "",
    heavy: bool = False, canvas: str = "",
) -> str:  # fmt: skip
    """A page around two ways to compute.

    core     JavaScript that defines ``pixel(u, v, bytes, at)``
    network  JavaScript that defines ``network()``, which returns GLSL that defines ``vec4 cppn(vec2 p)``, and
             ``upload(gl)``, which gives the GPU what that reads and returns whether it can
    count    of the numbers in the picture
    draw     JavaScript that draws the geometry g with the context gl, where r is the uniform from pixels to places
    options  further ones of that context
    heavy    the canvas begins with larger pixels, and does not even compute those in one go
    canvas   JavaScript that defines ``canvas2d()``, which sets ``paint``; without ``network`` the only way to draw
    """
    first = 24 if heavy else 8
    return fill(
        _PAGE,
        count=count,
        paper="#fff" if picture.alpha else "#111",
        core=core,
        view=fill(_VIEW, width=picture.size[0], height=picture.size[1]),
        webgl=network + fill(_WEBGL, draw=draw, options=options) if network else "const webgl=()=>0;\n",
        canvas=canvas or fill(_CANVAS, first=first, whole=24 if heavy else 4),
        input=_INPUT,
    )
