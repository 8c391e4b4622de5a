/*
 * The init of guest-speed.sh: fixed amounts of work of many kinds. Each prints a line when it
 * begins and one, with a checksum of its results, when it ends:
 *
 *   BENCH crc32 begin
 *   BENCH crc32 end 0123456789abcdef
 *
 * Freestanding, for x86-64 with SSE2; talks to Linux by system calls only.
 */

typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long u64;
typedef double pair __attribute__((vector_size(16)));

#define KIB 1024ul
#define MIB (1024ul * 1024)
#define PAGE 4096ul

/* Distance at which addresses share a set in caches and TLBs of any power-of-two size up to it. */
#define ALIAS (64 * MIB)
#define ARENA (2 * ALIAS)

/* arch/x86/entry/syscalls/syscall_64.tbl */
enum { WRITE = 1, MMAP = 9, MUNMAP = 11, GETPPID = 110, REBOOT = 169 };

static long call6(long n, long a, long b, long c, long d, long e, long f) {
	register long r10 asm("r10") = d;
	register long r8 asm("r8") = e;
	register long r9 asm("r9") = f;
	long result;
	asm volatile("syscall"
		     : "=a"(result)
		     : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
		     : "rcx", "r11", "memory");
	return result;
}

static void *map(u64 length) {
	/* PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS */
	return (void *)call6(MMAP, 0, length, 3, 0x22, -1, 0);
}

static void unmap(void *at, u64 length) { call6(MUNMAP, (long)at, length, 0, 0, 0, 0); }

static char line[128];
static u32 used;

static void text(const char *s) {
	while (*s)
		line[used++] = *s++;
}

static void flush(void) {
	line[used++] = '\n';
	call6(WRITE, 1, (long)line, used, 0, 0, 0);
	used = 0;
}

static void hex(u64 v) {
	for (int shift = 60; shift >= 0; shift -= 4)
		line[used++] = "0123456789abcdef"[v >> shift & 15];
}

static u64 seed;

/* xorshift64 (Marsaglia) */
static u64 random(void) {
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static u64 mix(u64 sum, u64 v) { return (sum ^ v) * 0x9e3779b97f4a7c15ul + (sum >> 29); }

static u8 *arena;

/* ---- Computation -------------------------------------------------------------------------- */

static u32 crc_table[256];

static u64 crc32(void) {
	for (u32 i = 0; i < 256; i++) {
		u32 v = i;
		for (int k = 0; k < 8; k++)
			v = v & 1 ? v >> 1 ^ 0xedb88320 : v >> 1;
		crc_table[i] = v;
	}
	for (u64 i = 0; i < MIB; i++)
		arena[i] = random();
	u32 crc = ~0u;
	for (int round = 0; round < 96; round++)
		for (u64 i = 0; i < MIB; i++)
			crc = crc_table[(crc ^ arena[i]) & 0xff] ^ crc >> 8;
	return ~crc;
}

static u64 sieve(void) {
	enum { N = 1000000 };
	u64 count = 0;
	for (int round = 0; round < 150; round++) {
		for (u64 i = 0; i < N; i++)
			arena[i] = 1;
		for (u64 i = 2; i * i < N; i++)
			if (arena[i])
				for (u64 k = i * i; k < N; k += i)
					arena[k] = 0;
		for (u64 i = 2; i < N; i++)
			count += arena[i];
	}
	return count;
}

#define NOINLINE __attribute__((noinline))
static NOINLINE u64 op_add(u64 a, u64 b) { return a + b; }
static NOINLINE u64 op_xor(u64 a, u64 b) { return a ^ b; }
static NOINLINE u64 op_rotate(u64 a, u64 b) { return (a << 7 | a >> 57) + b; }
static NOINLINE u64 op_multiply(u64 a, u64 b) { return a * (b | 1); }
static NOINLINE u64 op_choose(u64 a, u64 b) { return a < b ? a + 3 : b - a; }
static NOINLINE u64 op_shift(u64 a, u64 b) { return a >> (b & 15) ^ b; }
static NOINLINE u64 op_negate(u64 a, u64 b) { return b - a; }
static NOINLINE u64 op_both(u64 a, u64 b) { return op_add(a, b) ^ op_negate(a, b); }

static u64 (*const operations[8])(u64, u64) = {
	op_add, op_xor, op_rotate, op_multiply, op_choose, op_shift, op_negate, op_both,
};

static u64 indirect_calls(void) {
	u64 v = 1;
	for (u64 i = 0; i < 1024; i++)
		arena[i] = random() & 7;
	for (u64 i = 0; i < 40000000; i++)
		v = operations[arena[i & 1023]](v, i);
	return v;
}

static NOINLINE u64 fibonacci(u64 n) { return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2); }

static u64 direct_calls(void) { return fibonacci(38); }

static u64 bits(double v) {
	union {
		double d;
		u64 u;
	} both = {v};
	return both.u;
}

static double root(double v) {
	asm("sqrtsd %1, %0" : "=x"(v) : "x"(v));
	return v;
}

/* Bodies under gravity: scalar additions, products, quotients and roots. */
static u64 doubles_scalar(void) {
	enum { BODIES = 5 };
	static double p[BODIES][3], v[BODIES][3], mass[BODIES];
	for (int i = 0; i < BODIES; i++) {
		mass[i] = 1.0 / (1 + i);
		for (int k = 0; k < 3; k++) {
			p[i][k] = (double)(i * 7 + k * 3 + 1) / 3.0;
			v[i][k] = (double)(i - k) / 10.0;
		}
	}
	for (int step = 0; step < 600000; step++) {
		for (int i = 0; i < BODIES; i++)
			for (int j = i + 1; j < BODIES; j++) {
				double x = p[i][0] - p[j][0], y = p[i][1] - p[j][1], z = p[i][2] - p[j][2];
				double square = x * x + y * y + z * z + 0.01;
				double force = 0.001 / (square * root(square));
				double a = mass[j] * force, b = mass[i] * force;
				v[i][0] -= x * a, v[i][1] -= y * a, v[i][2] -= z * a;
				v[j][0] += x * b, v[j][1] += y * b, v[j][2] += z * b;
			}
		for (int i = 0; i < BODIES; i++)
			for (int k = 0; k < 3; k++)
				p[i][k] += 0.001 * v[i][k];
	}
	u64 sum = 0;
	for (int i = 0; i < BODIES; i++)
		for (int k = 0; k < 3; k++)
			sum = mix(mix(sum, bits(p[i][k])), bits(v[i][k]));
	return sum;
}

/* y = a * x + y on pairs of doubles. */
static u64 doubles_packed(void) {
	enum { N = 4096 };
	pair *x = (pair *)arena, *y = x + N;
	for (int i = 0; i < N; i++) {
		x[i] = (pair){1.0 + i, 0.5 * i};
		y[i] = (pair){-0.25 * i, 3.0};
	}
	pair a = {0.999, 1.001}, shrink = {0.75, 0.8};
	for (int round = 0; round < 15000; round++)
		for (int i = 0; i < N; i++)
			y[i] = x[i] * a + y[i] * shrink;
	u64 sum = 0;
	for (int i = 0; i < N; i++)
		sum = mix(mix(sum, bits(y[i][0])), bits(y[i][1]));
	return sum;
}

/* ---- Memory ------------------------------------------------------------------------------- */

enum { COPIED = 8 * MIB };

static u64 checked(u64 *at) {
	u64 sum = 0;
	for (u64 i = 0; i < COPIED / 8; i += 61)
		sum = mix(sum, at[i]);
	return sum;
}

static void fill(void) {
	u64 *from = (u64 *)arena;
	for (u64 i = 0; i < COPIED / 8; i++)
		from[i] = random();
}

static u64 copy_words(u64 distance, int rounds) {
	fill();
	u64 *from = (u64 *)arena, *to = (u64 *)(arena + distance);
	for (int round = 0; round < rounds; round++)
		for (u64 i = 0; i < COPIED / 8; i++) {
			to[i] = from[i] + round;
			asm volatile("" ::: "memory"); /* no call of memcpy, no vectors */
		}
	return checked(to);
}

static u64 copy_string(u64 distance, int rounds) {
	fill();
	for (int round = 0; round < rounds; round++) {
		void *from = arena, *to = arena + distance;
		u64 n = COPIED / 8;
		((u64 *)from)[round] += round;
		asm volatile("rep movsq" : "+S"(from), "+D"(to), "+c"(n) : : "memory");
	}
	return checked((u64 *)(arena + distance));
}

static u64 words_near(void) { return copy_words(COPIED + 9 * PAGE, 300); }
static u64 words_aliased(void) { return copy_words(ALIAS, 60); }
static u64 string_near(void) { return copy_string(COPIED + 9 * PAGE, 400); }
static u64 string_aliased(void) { return copy_string(ALIAS, 60); }

/* A random cycle through one cell per stride. */
static u64 chase(u64 span, u64 stride, u64 steps) {
	u64 n = span / stride;
	u32 *order = (u32 *)(arena + ALIAS);
	for (u64 i = 0; i < n; i++)
		order[i] = i;
	for (u64 i = n - 1; i > 0; i--) { /* Sattolo: one cycle through all */
		u64 k = random() % i;
		u32 t = order[i];
		order[i] = order[k], order[k] = t;
	}
	/* cells at varying offsets, so that caches are used evenly */
	for (u64 i = 0; i < n; i++)
		*(u64 *)(arena + i * stride + (i * 64 & (stride - 1))) =
			order[i] * stride + ((u64)order[i] * 64 & (stride - 1));
	u64 at = 0, sum = 0;
	for (u64 i = 0; i < steps; i++) {
		at = *(u64 *)(arena + at);
		sum += at;
	}
	return sum;
}

static u64 chase_near(void) { return chase(512 * KIB, 64, 120000000); }
static u64 chase_far(void) { return chase(ALIAS, PAGE, 12000000); }

/* ---- Kernel ------------------------------------------------------------------------------- */

static u64 system_calls(void) {
	u64 sum = 0;
	for (int i = 0; i < 1500000; i++)
		sum += call6(GETPPID, 0, 0, 0, 0, 0, 0) + 1;
	return sum;
}

static u64 page_faults(void) {
	enum { SPAN = 4 * MIB, ROUNDS = 120 };
	u64 sum = 0;
	for (int round = 0; round < ROUNDS; round++) {
		u8 *at = map(SPAN);
		for (u64 i = 0; i < SPAN; i += PAGE) {
			sum += at[i + 8];
			at[i] = round;
			sum += at[i];
		}
		unmap(at, SPAN);
	}
	return sum;
}

static const struct {
	const char *name;
	u64 (*run)(void);
} works[] = {
	/* The kernel first: what is compiled for it is not to be charged to others. */
	{"system-calls", system_calls},
	{"page-faults", page_faults},
	{"crc32", crc32},
	{"sieve", sieve},
	{"indirect-calls", indirect_calls},
	{"direct-calls", direct_calls},
	{"doubles-scalar", doubles_scalar},
	{"doubles-packed", doubles_packed},
	{"words", words_near},
	{"words-64M-apart", words_aliased},
	{"rep-movs", string_near},
	{"rep-movs-64M-apart", string_aliased},
	{"chase-512K", chase_near},
	{"chase-64M", chase_far},
};

static int same(const char *a, const char *b) {
	while (*a && *a == *b)
		a++, b++;
	return *a == *b;
}

/* All works, or those that the kernel's command line names after "--". */
static int wanted(const char *name, long argc, char **argv) {
	for (long i = 1; i < argc; i++)
		if (same(argv[i], name))
			return 1;
	return argc <= 1;
}

__attribute__((used)) void begin(long *stack) {
	arena = map(ARENA);
	for (u64 i = 0; i < ARENA; i += PAGE)
		arena[i] = 1; /* what is measured does not fault unless it means to */
	for (u32 i = 0; i < sizeof works / sizeof *works; i++) {
		if (!wanted(works[i].name, stack[0], (char **)(stack + 1)))
			continue;
		seed = 0x2545f4914f6cdd1dul;
		text("BENCH "), text(works[i].name), text(" begin"), flush();
		u64 sum = works[i].run();
		text("BENCH "), text(works[i].name), text(" end "), hex(sum), flush();
	}
	/* linux/reboot.h: the two magic numbers, LINUX_REBOOT_CMD_POWER_OFF */
	call6(REBOOT, 0xfee1deadl, 672274793, 0x4321fedc, 0, 0, 0);
	for (;;)
		;
}

/* The stack at entry holds argc and argv (System V ABI, AMD64 supplement, 3.4.1). */
asm(".globl _start\n_start:\tmov %rsp, %rdi\n\tand $-16, %rsp\n\tcall begin\n");
