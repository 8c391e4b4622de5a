/*
 * A guest of our own for machines without a Linux kernel at hand: a few hundred bytes that do what
 * matters here. It enters by PVH, recognizes KVM, fills its pv_ops, patches its own call sites from
 * .parainstructions and .altinstructions (the layouts of Linux 6.1), calls through all of them,
 * says so on the serial port and powers off. build.sh makes the ELF that the demo carries.
 */

#define LINK		0xffffffff80000000
#define COM1		0x3f8
#define PIC1_DATA	0x21
#define PIC2_DATA	0xa1
/* PM1a control: SLP_EN with the S5 sleep type of the bundled machine (AcpiPm), then of QEMU's q35 */
#define PM1A_CONTROL	0x604
#define SLP_EN		(1 << 13)
#define POWER_OFF	((5 << 10) | SLP_EN)
#define POWER_OFF_QEMU	SLP_EN
#define XENPV		(8 * 32 + 16)	/* X86_FEATURE_XENPV, never set here */
#define NOT		(1 << 15)
#define ROUNDS		1000

/* pv_ops by word, as struct paravirt_patch_template below says */
#define SLOT_IO_DELAY	0
#define SLOT_SAVE_FL	1
#define SLOT_DISABLE	2
#define SLOT_ENABLE	3
#define SLOT_EXIT_MMAP	4

.macro FUNCTION name
	.globl \name
	.type \name, @function
	.balign 16
\name:
.endm

.macro END name
	.size \name, . - \name
.endm

/* One call through pv_ops and its annotation. */
.macro PVCALL slot
771:	call *(pv_ops + 8 * \slot)(%rip)
772:
	.pushsection .parainstructions, "a"
	.balign 8
	.quad 771b
	.byte \slot, 772b - 771b
	.short 0
	.balign 8
	.popsection
.endm

/* The same with native code that replaces it unless the guest runs on Xen PV. */
.macro PVCALL_NATIVE slot, code:vararg
	PVCALL \slot
	.pushsection .altinstr_replacement, "ax"
773:	\code
774:
	.popsection
	.pushsection .altinstructions, "a"
	.long 771b - .
	.long 773b - .
	.short NOT | XENPV
	.byte 772b - 771b, 774b - 773b
	.popsection
.endm

	.section .note.Xen, "a", @note
	.long 4, 4, 18			/* XEN_ELFNOTE_PHYS32_ENTRY */
	.asciz "Xen"
	.long pvh_start - LINK

	.section .head.text, "ax"
	.globl _text
_text:
	.code32
	.globl pvh_start
	.type pvh_start, @function
pvh_start:
	cli
	lgdt gdt_descriptor - LINK
	movl $(1 << 5), %eax		/* CR4.PAE */
	movl %eax, %cr4
	movl $(page_tables - LINK), %eax
	movl %eax, %cr3
	movl $0xc0000080, %ecx		/* EFER.LME */
	rdmsr
	orl $(1 << 8), %eax
	wrmsr
	movl $0x80000011, %eax		/* CR0: PG, ET, PE */
	movl %eax, %cr0
	ljmp $0x10, $(1f - LINK)
	.code64
1:	movabs $start_guest, %rax
	jmp *%rax
	.size pvh_start, . - pvh_start

	.text
	.globl _stext
_stext:
FUNCTION start_guest
	movw $0x18, %ax
	movw %ax, %ds
	movw %ax, %es
	movw %ax, %ss
	leaq stack_top(%rip), %rsp
	movb $0xff, %al
	outb %al, $PIC1_DATA
	outb %al, $PIC2_DATA
	leaq banner(%rip), %rsi
	call print
	call init_hypervisor
	call alternative_instructions
	movl $ROUNDS, %ebx
1:	call use_operations
	decl %ebx
	jnz 1b
	leaq done(%rip), %rsi
	call print
	movw $PM1A_CONTROL, %dx
	movw $POWER_OFF, %ax
	outw %ax, %dx
	movw $POWER_OFF_QEMU, %ax
	outw %ax, %dx
2:	cli
	hlt
	jmp 2b
END start_guest

FUNCTION use_operations
	PVCALL_NATIVE SLOT_SAVE_FL, pushfq; popq %rax
	PVCALL_NATIVE SLOT_DISABLE, cli
	PVCALL SLOT_IO_DELAY
	PVCALL SLOT_EXIT_MMAP
	PVCALL_NATIVE SLOT_ENABLE, sti
	PVCALL_NATIVE SLOT_DISABLE, cli
	ret
END use_operations

/* Prints the string at RSI. */
FUNCTION print
	movw $COM1, %dx
1:	lodsb
	testb %al, %al
	jz 2f
	outb %al, %dx
	jmp 1b
2:	ret
END print

FUNCTION pv_native_save_fl
	pushfq
	popq %rax
	ret
END pv_native_save_fl

FUNCTION pv_native_irq_disable
	cli
	ret
END pv_native_irq_disable

FUNCTION pv_native_irq_enable
	sti
	ret
END pv_native_irq_enable

FUNCTION native_io_delay
	outb %al, $0x80
	ret
END native_io_delay

FUNCTION kvm_io_delay
	ret
END kvm_io_delay

FUNCTION _paravirt_nop
	ret
END _paravirt_nop
	.globl _etext
_etext:

	.section .init.text, "ax"
	.globl _sinittext
_sinittext:
/* KVM's signature and its feature bit 1, KVM_FEATURE_NOP_IO_DELAY. */
FUNCTION init_hypervisor
	movl $1, %eax
	cpuid
	btl $31, %ecx
	jnc 1f
	movl $0x40000000, %eax
	cpuid
	cmpl $0x4b4d564b, %ebx		/* "KVMK" */
	jne 1f
	cmpl $0x564b4d56, %ecx		/* "VMKV" */
	jne 1f
	leaq on_kvm(%rip), %rsi
	call print
	movl $0x40000001, %eax
	cpuid
	btl $1, %eax
	jnc 2f
	leaq kvm_io_delay(%rip), %rax
	movq %rax, (pv_ops + 8 * SLOT_IO_DELAY)(%rip)
	ret
1:	leaq on_bare(%rip), %rsi
	call print
2:	ret
END init_hypervisor

/* Patches every call site, then every alternative, as Linux 6.1 does. */
FUNCTION alternative_instructions
	leaq __parainstructions(%rip), %r8
	leaq __parainstructions_end(%rip), %r9
	leaq _paravirt_nop(%rip), %r10
	leaq pv_ops(%rip), %r11
1:	cmpq %r9, %r8
	jae 4f
	movq (%r8), %rdi
	movzbl 8(%r8), %eax
	movzbl 9(%r8), %ecx
	movq (%r11, %rax, 8), %rax
	cmpq %r10, %rax
	je 2f
	subq %rdi, %rax
	subq $5, %rax
	movb $0xe8, (%rdi)
	movl %eax, 1(%rdi)
	addq $5, %rdi
	subl $5, %ecx
2:	call add_nops
	addq $16, %r8
	jmp 1b
4:	leaq __alt_instructions(%rip), %r8
	leaq __alt_instructions_end(%rip), %r9
5:	cmpq %r9, %r8
	jae 7f
	testw $NOT, 8(%r8)		/* no feature is set: only the negated apply */
	jz 6f
	movslq (%r8), %rdi
	addq %r8, %rdi
	movslq 4(%r8), %rsi
	leaq 4(%r8, %rsi), %rsi
	movzbl 11(%r8), %ecx
	movzbl 10(%r8), %eax
	subl %ecx, %eax
	rep movsb
	movl %eax, %ecx
	call add_nops
6:	addq $12, %r8
	jmp 5b
7:	ret
END alternative_instructions

/* Fills ECX bytes (0 to 8) at RDI with one NOP instruction. */
FUNCTION add_nops
	leaq nops(%rip), %rsi
	leaq (%rsi, %rcx, 8), %rsi
	rep movsb
	ret
END add_nops
	.globl _einittext
_einittext:

	.section .rodata, "a"
banner:	.asciz "Hypergraft guest: 6 call sites, 5 operations\n"
on_kvm:	.asciz "Hypervisor detected: KVM\n"
on_bare: .asciz "No hypervisor detected\n"
done:	.asciz "USERSPACE-OK\n"
	.balign 8
nops:	.byte 0, 0, 0, 0, 0, 0, 0, 0
	.byte 0x90, 0, 0, 0, 0, 0, 0, 0
	.byte 0x66, 0x90, 0, 0, 0, 0, 0, 0
	.byte 0x0f, 0x1f, 0x00, 0, 0, 0, 0, 0
	.byte 0x0f, 0x1f, 0x40, 0x00, 0, 0, 0, 0
	.byte 0x0f, 0x1f, 0x44, 0x00, 0x00, 0, 0, 0
	.byte 0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00, 0, 0
	.byte 0x0f, 0x1f, 0x80, 0x00, 0x00, 0x00, 0x00, 0
	.byte 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00

	.data
	.balign 8
	.globl pv_ops
	.type pv_ops, @object
pv_ops:
	.quad native_io_delay
	.quad pv_native_save_fl
	.quad pv_native_irq_disable
	.quad pv_native_irq_enable
	.quad _paravirt_nop
	.size pv_ops, . - pv_ops
gdt:	.quad 0, 0
	.quad 0x00af9b000000ffff	/* 0x10: 64-bit code */
	.quad 0x00cf93000000ffff	/* 0x18: data */
gdt_descriptor:
	.word . - gdt - 1
	.long gdt - LINK

	.balign 4096
page_tables:				/* the first GiB, at 0 and at LINK */
	.quad pointers - LINK + 3
	.fill 510, 8, 0
	.quad pointers - LINK + 3
pointers:
	.quad directory - LINK + 3
	.fill 509, 8, 0
	.quad directory - LINK + 3
	.quad 0
directory:
	.set i, 0
	.rept 512
	.quad (i << 21) + 0x83
	.set i, i + 1
	.endr

	.bss
	.balign 16
	.skip 4096
stack_top:

/* Type information: the names of the slots (Linux Documentation/bpf/btf.rst). */
#define STRUCT(name, members, size) .long name - strings, (4 << 24) | members, size
#define MEMBER(name, type, byte) .long name - strings, type, 8 * (byte)
	.section .BTF, "a"
btf:	.short 0xeb9f
	.byte 1, 0
	.long 24, 0, types_end - types, types_end - types, strings_end - strings
types:	.long 0, 2 << 24, 0			/* 1: void * */
	STRUCT(s_callee_save, 1, 8)		/* 2 */
	MEMBER(s_func, 1, 0)
	STRUCT(s_cpu_ops, 1, 8)			/* 3 */
	MEMBER(s_io_delay, 1, 0)
	STRUCT(s_irq_ops, 3, 24)		/* 4 */
	MEMBER(s_save_fl, 2, 0)
	MEMBER(s_irq_disable, 2, 8)
	MEMBER(s_irq_enable, 2, 16)
	STRUCT(s_mmu_ops, 1, 8)			/* 5 */
	MEMBER(s_exit_mmap, 1, 0)
	STRUCT(s_template, 3, 40)		/* 6 */
	MEMBER(s_cpu, 3, 0)
	MEMBER(s_irq, 4, 8)
	MEMBER(s_mmu, 5, 32)
types_end:
strings: .byte 0
s_callee_save: .asciz "paravirt_callee_save"
s_func:	.asciz "func"
s_cpu_ops: .asciz "pv_cpu_ops"
s_io_delay: .asciz "io_delay"
s_irq_ops: .asciz "pv_irq_ops"
s_save_fl: .asciz "save_fl"
s_irq_disable: .asciz "irq_disable"
s_irq_enable: .asciz "irq_enable"
s_mmu_ops: .asciz "pv_mmu_ops"
s_exit_mmap: .asciz "exit_mmap"
s_template: .asciz "paravirt_patch_template"
s_cpu:	.asciz "cpu"
s_irq:	.asciz "irq"
s_mmu:	.asciz "mmu"
strings_end:
	.section .note.GNU-stack, "", @progbits
