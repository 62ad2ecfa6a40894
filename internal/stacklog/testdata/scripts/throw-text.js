throw 'no error at all';
