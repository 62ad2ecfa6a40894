console.log('never printed')
const cart = ;
