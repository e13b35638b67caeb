/* bad.h - a table of nine operations. */
struct bad_ops {
	int (*op1)(void);
	int (*op2)(void);
	int (*op3)(void);
	int (*op4)(void);
	int (*op5)(void);
	int (*op6)(void);
	int (*op7)(void);
	int (*op8)(void);
	int (*op9)(void);
};
