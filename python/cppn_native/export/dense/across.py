"""How what works across the features of a pixel is written in each language: sort, softmax, logsoftmax, and the
normalization to mean 0 and deviation 1.

Each is a function of its own name. Python's takes the features as floats, or as rows of numpy arrays; the others
change an array of n features in place: ``h`` in JavaScript and C, ``A(i)`` in GLSL.
"""

from __future__ import annotations

from ...activations import ACROSS

__all__ = ["DEFINED", "definitions"]

# The softmaxes are of less than the greatest, so that nothing overflows.
DEFINED: dict[str, dict[str, str]] = {
    "sort": {
        "python": "def sort(h):return sorted(h)if np is None else np.sort(h,0)\n",
        "js": "const sort=(h,n)=>h.subarray(0,n).sort();\n",
        "c": (
            "static int order(const void*a,const void*b){"
            "double x=*(const double*)a,y=*(const double*)b;return(x>y)-(x<y);}\n"
            "static void sort(double*h,int n){qsort(h,(size_t)n,sizeof*h,order);}\n"
        ),
        # Shell sort: bounded, in place, without recursion.
        "glsl": (
            "void sort(int n){int s=1;for(;s<n;)s=3*s+1;\n"
            "for(;s>0;s/=3)for(int i=s;i<n;i++){float v=A(i);int j=i;"
            "for(;j>=s&&A(j-s)>v;j-=s)A(j)=A(j-s);A(j)=v;}}\n"
        ),
    },
    "softmax": {
        "python": (
            "def softmax(h):\n"
            "    m=max(h)if np is None else np.max(h,0)\n"
            "    e=[exp(z-m)for z in h]\n"
            "    s=sum(e)\n"
            "    return[v/s for v in e]\n"
        ),
        "js": (
            "const softmax=(h,n)=>{let m=h[0],s=0;for(let i=1;i<n;i++)m=Math.max(m,h[i]);\n"
            "for(let i=0;i<n;i++)s+=h[i]=Math.exp(h[i]-m);for(let i=0;i<n;i++)h[i]/=s};\n"
        ),
        "c": (
            "static void softmax(double*h,int n){double m=h[0],s=0;int i;\nfor(i=1;i<n;i++)m=fmax(m,h[i]);\n"
            "for(i=0;i<n;i++)s+=h[i]=exp(h[i]-m);\nfor(i=0;i<n;i++)h[i]/=s;}\n"
        ),
        "glsl": (
            "void softmax(int n){float m=A(0),s=0.;for(int i=1;i<n;i++)m=max(m,A(i));\n"
            "for(int i=0;i<n;i++){A(i)=exp(max(A(i)-m,-80.));s+=A(i);}for(int i=0;i<n;i++)A(i)/=s;}\n"
        ),
    },
    "logsoftmax": {
        "python": (
            "def logsoftmax(h):\n"
            "    m=max(h)if np is None else np.max(h,0)\n"
            "    s=log(sum(exp(z-m)for z in h))\n"
            "    return[z-m-s for z in h]\n"
        ),
        "js": (
            "const logsoftmax=(h,n)=>{let m=h[0],s=0;for(let i=1;i<n;i++)m=Math.max(m,h[i]);\n"
            "for(let i=0;i<n;i++)s+=Math.exp(h[i]-m);s=Math.log(s);for(let i=0;i<n;i++)h[i]-=m+s};\n"
        ),
        "c": (
            "static void logsoftmax(double*h,int n){double m=h[0],s=0;int i;\nfor(i=1;i<n;i++)m=fmax(m,h[i]);\n"
            "for(i=0;i<n;i++)s+=exp(h[i]-m);\ns=log(s);\nfor(i=0;i<n;i++)h[i]-=m+s;}\n"
        ),
        "glsl": (
            "void logsoftmax(int n){float m=A(0),s=0.;for(int i=1;i<n;i++)m=max(m,A(i));\n"
            "for(int i=0;i<n;i++)s+=exp(max(A(i)-m,-80.));s=log(s);for(int i=0;i<n;i++)A(i)-=m+s;}\n"
        ),
    },
    "normalized": {
        "python": (
            "def normalized(h):\n"
            "    n=len(h)\n"
            "    m=sum(h)/n\n"
            "    d=[z-m for z in h]\n"
            "    s=sqrt(sum(v*v for v in d)/n)\n"
            "    return[v/s for v in d]\n"
        ),
        "js": (
            "const normalized=(h,n)=>{let m=0,s=0;for(let i=0;i<n;i++)m+=h[i]/n;\n"
            "for(let i=0;i<n;i++)s+=(h[i]-=m)*h[i]/n;for(let i=0;i<n;i++)h[i]/=Math.sqrt(s)};\n"
        ),
        "c": (
            "static void normalized(double*h,int n){double m=0,s=0;int i;\nfor(i=0;i<n;i++)m+=h[i]/n;\n"
            "for(i=0;i<n;i++){h[i]-=m;s+=h[i]*h[i]/n;}\nfor(i=0;i<n;i++)h[i]/=sqrt(s);}\n"
        ),
        "glsl": (
            "void normalized(int n){float m=0.,s=0.;for(int i=0;i<n;i++)m+=A(i)/float(n);\n"
            "for(int i=0;i<n;i++){A(i)-=m;s+=min(A(i)*A(i),1e30)/float(n);}"
            "s=inversesqrt(max(s,1e-36));for(int i=0;i<n;i++)A(i)*=s;}\n"
        ),
    },
}

assert {*ACROSS, "normalized"} == set(DEFINED)


def definitions(used: tuple[str, ...], normalizes: bool, language: str) -> str:
    """The functions that a program needs."""
    needed = [name for name in used if name in ACROSS] + ["normalized"] * normalizes
    return "".join(DEFINED[name][language] for name in needed)
