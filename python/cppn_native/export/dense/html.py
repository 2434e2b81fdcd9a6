"""A random picture as a page: WebGL 2 with the weights in a texture, or a 2-D canvas; one file, no request."""

from __future__ import annotations

from .. import html
from ..packing import fill
from . import glsl, js
from .program import DenseProgram

__all__ = ["source"]

WIDEST = 1024
"""Features that a shader's arrays can hold on common GPUs; the page of a wider network uses the canvas."""

# The order of the texture is that of glsl.texels; its rows have 1024 texels.
_NETWORK = """\
const network=()=>`uniform highp sampler2D t;
#define W(k) texelFetch(t,ivec2((k)&1023,(k)>>10),0)
@network@`;
function upload(gl){
const d=[],done={};
for(const[m,n,,,,s]of T){
if(done[s])continue;
done[s]=1;
for(let o=0;o<n;o+=4)for(let i=-1;i<Math.ceil(m/4)*4;i++)for(let q=o;q<o+4;q++)
d.push(q<n&&i<m?L[s+q*(m+1)+(i<0?m:i)]:0)}
const rows=Math.ceil(d.length/4096),a=new Float32Array(4096*rows);
a.set(d);
if(rows>gl.getParameter(gl.MAX_TEXTURE_SIZE)||@widest@>@most@)return 0;
gl.bindTexture(gl.TEXTURE_2D,gl.createTexture());
gl.texParameteri(gl.TEXTURE_2D,gl.TEXTURE_MIN_FILTER,gl.NEAREST);
gl.texParameteri(gl.TEXTURE_2D,gl.TEXTURE_MAG_FILTER,gl.NEAREST);
gl.texImage2D(gl.TEXTURE_2D,0,gl.RGBA32F,1024,rows,0,gl.RGBA,gl.FLOAT,a);
return 1}
let busy=0,next=0;
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


def source(program: DenseProgram) -> str:
    """The page's text."""
    network = fill(_NETWORK, network=glsl.network(program), widest=program.widest, most=WIDEST)
    draw = fill(_BANDS, cost=program.cost, budget=_BUDGET, patience=_PATIENCE)
    return html.shell(
        program,
        js.core(program),
        network,
        count=len(program.numbers()),
        draw=draw,
        options=",preserveDrawingBuffer:true",  # bands stay until the next ones are there
        heavy=True,
    )
