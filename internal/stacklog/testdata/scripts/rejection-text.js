Promise.reject('no error at all');
