function e(r){return r.reduce((t,a)=>t+o(a),0)}function o(r){return r.price.amount}var n=class{constructor(t){this.user=t}user;async payNow(){await null;let t=e([{name:"a",price:{amount:1}},{name:"b"}]);return`${this.user}: ${t}`}};new n("li").payNow().catch(r=>console.log(r.stack));
//# sourceMappingURL=main.js.map
