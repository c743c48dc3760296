/// Reads pickles of protocols 0 to 5 into a `PickleDocument`; see there for what it does not do.
///
/// The opcodes are those of CPython's `Lib/pickletools.py`. Out-of-band buffers, extension codes and
/// nothing else are refused.
struct Unpickler {
  /// The most memory that a document may take, in bytes by a rough count: a state dictionary of the
  /// largest published model takes a tenth.
  static let standardBudget = 48 << 20

  typealias Value = PickleDocument.Value

  private var reader: ByteReader
  private var document = PickleDocument()
  private var stack: [Value] = []
  private var marks: [Int] = []
  private var memo: [Int: Value] = [:]
  private var budget: Int
  /// Whether whole numbers in lists are passed over: their lists stay, and are empty.
  private let skipsNumbers: Bool

  private init(_ bytes: UnsafeRawBufferPointer, budget: Int, skippingNumbers: Bool) {
    reader = ByteReader(bytes)
    self.budget = budget
    skipsNumbers = skippingNumbers
  }

  /// Reads the pickle at the start of `bytes`; what follows it is left alone.
  /// - Parameter skippingNumbers: whether whole numbers in lists are passed over, which then take no memory.
  static func read(
    _ bytes: UnsafeRawBufferPointer, budget: Int = standardBudget, skippingNumbers: Bool = false
  ) throws(FormatError) -> PickleDocument {
    var unpickler = Unpickler(bytes, budget: budget, skippingNumbers: skippingNumbers)
    while try !unpickler.step() {}
    unpickler.document.length = unpickler.reader.position
    return unpickler.document
  }

  // MARK: The stack

  private mutating func spend(_ bytes: Int) throws(FormatError) {
    budget -= bytes
    guard budget >= 0 else { throw FormatError("it describes more objects than any model has") }
  }

  private mutating func push(_ value: Value) throws(FormatError) {
    try spend(24)
    stack.append(value)
  }

  private mutating func push(_ node: PickleDocument.Node) throws(FormatError) {
    try spend(96)
    document.nodes.append(node)
    try push(.node(document.nodes.count - 1))
  }

  private mutating func push(_ text: String) throws(FormatError) {
    try spend(text.utf8.count > 15 ? text.utf8.count + 32 : 0)
    try push(.string(text))
  }

  private mutating func pop() throws(FormatError) -> Value {
    guard stack.count > (marks.last ?? 0) else { throw FormatError("it takes from an empty stack") }
    return stack.removeLast()
  }

  private func top() throws(FormatError) -> Value {
    guard stack.count > (marks.last ?? 0), let last = stack.last else {
      throw FormatError("it looks at an empty stack")
    }
    return last
  }

  /// What lies above the last mark.
  private mutating func popMark() throws(FormatError) -> [Value] {
    guard let mark = marks.popLast() else { throw FormatError("a mark is missing") }
    let values = Array(stack[mark...])
    try spend(24 * values.count)
    stack.removeSubrange(mark...)
    return values
  }

  private mutating func popAll(_ count: Int) throws(FormatError) -> [Value] {
    var values: [Value] = []
    for _ in 0..<count { values.append(try pop()) }
    return values.reversed()
  }

  // MARK: Filling containers

  /// Changes the node on top of the stack in place.
  private mutating func change(
    adding count: Int, _ body: (inout PickleDocument.Node) -> Bool
  ) throws(FormatError) {
    guard case .node(let index) = try top() else {
      throw FormatError("it adds to something that holds nothing")
    }
    try spend(24 * count)
    guard body(&document.nodes[index]) else {
      throw FormatError("it adds to something that holds nothing")
    }
  }

  private mutating func append(_ values: [Value]) throws(FormatError) {
    if skipsNumbers, case .node(let index) = try top(), case .list = document.nodes[index],
      values.allSatisfy({ if case .integer = $0 { true } else { false } })
    {
      // They were counted on the stack, and those above a mark once more.
      budget += 24 * values.count
      return
    }
    try change(adding: values.count) { node in
      switch node {
      case .list(var held):
        node = .list([])
        held += values
        node = .list(held)
      case .set(var held):
        node = .set([])
        held += values
        node = .set(held)
      case .object(var object):
        node = .list([])
        object.elements += values
        node = .object(object)
      default: return false
      }
      return true
    }
  }

  private mutating func set(_ values: [Value]) throws(FormatError) {
    guard values.count % 2 == 0 else { throw FormatError("a key has no value") }
    try change(adding: values.count) { node in
      switch node {
      case .dictionary(var held):
        node = .list([])
        held += values
        node = .dictionary(held)
      case .object(var object):
        node = .list([])
        object.items += values
        node = .object(object)
      default: return false
      }
      return true
    }
  }

  private mutating func build() throws(FormatError) {
    let state = try pop()
    try change(adding: 1) { node in
      if case .object(var object) = node {
        object.state = state
        node = .object(object)
      }
      return true  // a state for anything else says nothing that is read
    }
  }

  private mutating func call(_ callable: Value, _ arguments: Value) throws(FormatError) {
    try push(.object(.init(callable: callable, arguments: arguments)))
  }

  private mutating func remember(_ key: Int, _ value: Value) throws(FormatError) {
    if memo.updateValue(value, forKey: key) == nil { try spend(64) }
  }

  private func recall(_ key: Int) throws(FormatError) -> Value {
    guard let value = memo[key] else { throw FormatError("it recalls what was never noted") }
    return value
  }

  // MARK: Opcodes

  /// Runs one opcode.
  /// - Returns: whether it was the last.
  private mutating func step() throws(FormatError) -> Bool {
    let opcode = try reader.byte()
    switch opcode {
    case 0x80: _ = try reader.byte()  // PROTO
    case 0x95: _ = try reader.unsigned(8)  // FRAME
    case UInt8(ascii: "."):
      document.root = try pop()
      return true
    case UInt8(ascii: "("): marks.append(stack.count)
    case UInt8(ascii: "0"):
      if stack.count == marks.last { marks.removeLast() } else { _ = try pop() }
    case UInt8(ascii: "1"): _ = try popMark()
    case UInt8(ascii: "2"): try push(top())

    case UInt8(ascii: "N"): try push(.none)
    case 0x88: try push(.bool(true))
    case 0x89: try push(.bool(false))
    case UInt8(ascii: "K"): try push(.integer(Int(reader.byte())))
    case UInt8(ascii: "M"): try push(.integer(reader.unsigned(2)))
    case UInt8(ascii: "J"): try push(.integer(Int(Int32(truncatingIfNeeded: reader.unsigned(4)))))
    case 0x8A: try long(Int(reader.byte()))
    case 0x8B: try long(reader.unsigned(4))
    case UInt8(ascii: "G"): try push(.float(reader.bigEndianDouble()))
    case UInt8(ascii: "I"), UInt8(ascii: "L"), UInt8(ascii: "F"): try number(opcode, reader.line())

    case UInt8(ascii: "X"): try push(reader.text(reader.unsigned(4)))
    case 0x8C: try push(reader.text(Int(reader.byte())))
    case 0x8D: try push(reader.text(reader.unsigned(8)))
    case UInt8(ascii: "V"): try push(reader.line())
    // Python 2's strings are bytes; those that are text are read as text.
    case UInt8(ascii: "U"): try string(Int(reader.byte()))
    case UInt8(ascii: "T"): try string(reader.unsigned(4))
    case UInt8(ascii: "S"): try push(Self.unquoted(reader.line()))
    case UInt8(ascii: "C"): try bytes(Int(reader.byte()))
    case UInt8(ascii: "B"): try bytes(reader.unsigned(4))
    case 0x8E, 0x96: try bytes(reader.unsigned(8))

    case UInt8(ascii: ")"): try push(.tuple([]))
    case UInt8(ascii: "]"): try push(.list([]))
    case UInt8(ascii: "}"): try push(.dictionary([]))
    case 0x8F: try push(.set([]))
    case 0x85...0x87: try push(.tuple(popAll(Int(opcode) - 0x84)))
    case UInt8(ascii: "t"): try push(.tuple(popMark()))
    case UInt8(ascii: "l"): try push(.list(popMark()))
    case 0x91: try push(.set(popMark()))
    case UInt8(ascii: "d"):
      let values = try popMark()
      guard values.count % 2 == 0 else { throw FormatError("a key has no value") }
      try push(.dictionary(values))
    case UInt8(ascii: "a"): try append([pop()])
    case UInt8(ascii: "e"), 0x90: try append(popMark())
    case UInt8(ascii: "s"): try set(popAll(2))
    case UInt8(ascii: "u"): try set(popMark())

    case UInt8(ascii: "c"): try global(reader.line(), reader.line())
    case 0x93:
      let names = try popAll(2)
      guard case .string(let module) = names[0], case .string(let name) = names[1] else {
        throw FormatError("a name is not text")
      }
      try global(module, name)
    case UInt8(ascii: "R"), 0x81:
      let parts = try popAll(2)
      try call(parts[0], parts[1])
    case 0x92:  // NEWOBJ_EX
      let parts = try popAll(3)
      try call(parts[0], parts[1])
    case UInt8(ascii: "o"):
      var parts = try popMark()
      guard !parts.isEmpty else { throw FormatError("an object has no class") }
      let callable = parts.removeFirst()
      try callWith(parts, callable)
    case UInt8(ascii: "i"):
      let (module, name) = (try reader.line(), try reader.line())
      let parts = try popMark()
      try global(module, name)
      try callWith(parts, pop())
    case UInt8(ascii: "b"): try build()
    case UInt8(ascii: "Q"): try push(.persistent(pop()))
    case UInt8(ascii: "P"): try push(.persistent(.string(reader.line())))

    case UInt8(ascii: "q"): try remember(Int(reader.byte()), top())
    case UInt8(ascii: "r"): try remember(reader.unsigned(4), top())
    case UInt8(ascii: "p"): try remember(Self.index(reader.line()), top())
    case 0x94: try remember(memo.count, top())
    case UInt8(ascii: "h"): try push(recall(Int(reader.byte())))
    case UInt8(ascii: "j"): try push(recall(reader.unsigned(4)))
    case UInt8(ascii: "g"): try push(recall(Self.index(reader.line())))
    default:
      let digits = String(opcode, radix: 16)
      throw FormatError(
        "opcode 0x\(digits) at byte \(reader.position - 1) is not one of a pickle's")
    }
    return false
  }

  private mutating func callWith(_ arguments: [Value], _ callable: Value) throws(FormatError) {
    try push(.tuple(arguments))
    try call(callable, pop())
  }

  private mutating func global(_ module: String, _ name: String) throws(FormatError) {
    try spend(module.utf8.count + name.utf8.count + 64)
    try push(.global(module: module, name: name))
  }

  private mutating func bytes(_ count: Int) throws(FormatError) {
    let bytes = try reader.bytes(count)
    try spend(count)
    try push(.bytes(Array(bytes)))
  }

  private mutating func string(_ count: Int) throws(FormatError) {
    let bytes = try reader.bytes(count)
    if let text = String(validating: bytes, as: UTF8.self) {
      try push(text)
    } else {
      try spend(count)
      try push(.bytes(Array(bytes)))
    }
  }

  /// A little-endian integer in two's complement.
  private mutating func long(_ count: Int) throws(FormatError) {
    let bytes = try reader.bytes(count)
    guard count <= 8 else {
      try spend(count)
      return try push(.bytes(Array(bytes)))
    }
    var value: UInt64 = (bytes.last ?? 0) & 0x80 != 0 ? .max : 0
    for byte in bytes.reversed() { value = value << 8 | UInt64(byte) }
    try push(.integer(Int(Int64(bitPattern: value))))
  }

  private mutating func number(_ opcode: UInt8, _ line: String) throws(FormatError) {
    let digits = line.hasSuffix("L") ? String(line.dropLast()) : line
    switch (opcode, line) {
    case (UInt8(ascii: "I"), "00"): try push(.bool(false))
    case (UInt8(ascii: "I"), "01"): try push(.bool(true))
    default:
      if opcode != UInt8(ascii: "F"), let value = Int(digits) {
        try push(.integer(value))
      } else if let value = Double(digits) {
        try push(.float(value))
      } else {
        throw FormatError("'\(line.prefix(20))' is no number")
      }
    }
  }

  private static func index(_ line: String) throws(FormatError) -> Int {
    guard let index = Int(line), index >= 0 else { throw FormatError("a bad index") }
    return index
  }

  /// The text of a Python 2 string literal; escapes other than quotes and backslashes stay.
  private static func unquoted(_ line: String) throws(FormatError) -> String {
    guard line.count >= 2, let quote = line.first, quote == line.last, quote == "'" || quote == "\""
    else { throw FormatError("a string is not quoted") }
    return String(line.dropFirst().dropLast()).replacing("\\\(quote)", with: "\(quote)")
      .replacing("\\\\", with: "\\")
  }
}
