throw { code: 17, reason: 'an object' };
