/// A JSON value as a safetensors header may hold it.
enum StrictJSON: Equatable {
  case null
  case bool(Bool)
  case integer(Int)
  case string(String)
  case array([StrictJSON])
  case object([(key: String, value: StrictJSON)])

  /// Reads a whole JSON text.
  ///
  /// Foundation's reader keeps the last of two equal keys, and a header with two entries of one name
  /// must be refused, hence a reader of our own. It also refuses what headers never hold (fractions,
  /// exponents, NaN, integers beyond 64 bits) and nesting deeper than 16.
  init(parsing bytes: UnsafeRawBufferPointer) throws(StrictJSONError) {
    var reader = Reader(bytes: bytes)
    self = try reader.value(depth: 0)
    reader.skipSpace()
    guard reader.at == bytes.count else { throw reader.failure("unexpected text after the header") }
  }

  static func == (a: StrictJSON, b: StrictJSON) -> Bool {
    switch (a, b) {
    case (.null, .null): true
    case (.bool(let a), .bool(let b)): a == b
    case (.integer(let a), .integer(let b)): a == b
    case (.string(let a), .string(let b)): a == b
    case (.array(let a), .array(let b)): a == b
    case (.object(let a), .object(let b)):
      a.count == b.count && zip(a, b).allSatisfy { $0.key == $1.key && $0.value == $1.value }
    default: false
    }
  }
}

/// Why a text is not the JSON that was expected.
struct StrictJSONError: Error, Equatable {
  let reason: String
}

private struct Reader {
  let bytes: UnsafeRawBufferPointer
  var at = 0

  init(bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  func failure(_ reason: String) -> StrictJSONError {
    StrictJSONError(reason: "\(reason) at byte \(at) of the header")
  }

  var next: UInt8? { at < bytes.count ? bytes[at] : nil }

  mutating func skipSpace() {
    while let c = next, c == 0x20 || c == 0x0A || c == 0x0D || c == 0x09 { at += 1 }
  }

  mutating func take(_ c: Unicode.Scalar) throws(StrictJSONError) {
    guard next == UInt8(truncatingIfNeeded: c.value) else { throw failure("expected '\(c)'") }
    at += 1
  }

  mutating func value(depth: Int) throws(StrictJSONError) -> StrictJSON {
    guard depth < 16 else { throw failure("nesting too deep") }
    skipSpace()
    guard let next else { throw failure("the text ends too early") }
    switch next {
    case UInt8(ascii: "{"): return try object(depth: depth)
    case UInt8(ascii: "["): return try array(depth: depth)
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try integer()
    default: throw failure("unexpected character")
    }
  }

  mutating func word(_ word: String, _ value: StrictJSON) throws(StrictJSONError) -> StrictJSON {
    for c in word.unicodeScalars { try take(c) }
    return value
  }

  mutating func integer() throws(StrictJSONError) -> StrictJSON {
    let negative = next == UInt8(ascii: "-")
    if negative { at += 1 }
    var value = 0
    var digits = 0
    while let c = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(c) {
      let (product, high) = value.multipliedReportingOverflow(by: 10)
      let (sum, over) = product.addingReportingOverflow(Int(c - UInt8(ascii: "0")))
      guard !high, !over else { throw failure("a number too large") }
      value = sum
      digits += 1
      at += 1
    }
    guard digits > 0 else { throw failure("a number without digits") }
    if let c = next, c == UInt8(ascii: ".") || c == UInt8(ascii: "e") || c == UInt8(ascii: "E") {
      throw failure("a number that is not an integer")
    }
    return .integer(negative ? -value : value)
  }

  mutating func array(depth: Int) throws(StrictJSONError) -> StrictJSON {
    try take("[")
    var items: [StrictJSON] = []
    skipSpace()
    if next == UInt8(ascii: "]") {
      at += 1
      return .array(items)
    }
    while true {
      items.append(try value(depth: depth + 1))
      skipSpace()
      if next == UInt8(ascii: ",") {
        at += 1
      } else {
        try take("]")
        return .array(items)
      }
    }
  }

  mutating func object(depth: Int) throws(StrictJSONError) -> StrictJSON {
    try take("{")
    var pairs: [(key: String, value: StrictJSON)] = []
    var seen: Set<String> = []
    skipSpace()
    if next == UInt8(ascii: "}") {
      at += 1
      return .object(pairs)
    }
    while true {
      skipSpace()
      let key = try string()
      guard seen.insert(key).inserted else { throw failure("duplicate key '\(key)'") }
      skipSpace()
      try take(":")
      pairs.append((key, try value(depth: depth + 1)))
      skipSpace()
      if next == UInt8(ascii: ",") {
        at += 1
      } else {
        try take("}")
        return .object(pairs)
      }
    }
  }

  mutating func string() throws(StrictJSONError) -> String {
    try take("\"")
    var text: [UInt8] = []
    while let c = next {
      at += 1
      switch c {
      case UInt8(ascii: "\""):
        guard let string = String(validating: text, as: UTF8.self) else {
          throw failure("a string that is not UTF-8")
        }
        return string
      case UInt8(ascii: "\\"): try escape(into: &text)
      case 0..<0x20: throw failure("a control character in a string")
      default: text.append(c)
      }
    }
    throw failure("a string without end")
  }

  mutating func escape(into text: inout [UInt8]) throws(StrictJSONError) {
    guard let c = next else { throw failure("a string without end") }
    at += 1
    switch c {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(c)
    case UInt8(ascii: "b"): text.append(0x08)
    case UInt8(ascii: "f"): text.append(0x0C)
    case UInt8(ascii: "n"): text.append(0x0A)
    case UInt8(ascii: "r"): text.append(0x0D)
    case UInt8(ascii: "t"): text.append(0x09)
    case UInt8(ascii: "u"):
      var code = try unit()
      if (0xD800..<0xDC00).contains(code) {
        try take("\\")
        try take("u")
        let low = try unit()
        guard (0xDC00..<0xE000).contains(low) else { throw failure("a lone surrogate") }
        code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
      }
      guard let scalar = Unicode.Scalar(code) else { throw failure("a lone surrogate") }
      text.append(contentsOf: String(Character(scalar)).utf8)
    default: throw failure("an unknown escape in a string")
    }
  }

  mutating func unit() throws(StrictJSONError) -> UInt32 {
    var code: UInt32 = 0
    for _ in 0..<4 {
      guard let c = next, let digit = Character(Unicode.Scalar(c)).hexDigitValue else {
        throw failure("a broken \\u escape")
      }
      code = code << 4 | UInt32(digit)
      at += 1
    }
    return code
  }
}
