/// What a pickle describes, as data: nothing in it is imported, called or constructed.
///
/// A pickle is a program for a stack machine that may name any Python callable. `Unpickler` runs the
/// stack machine, and where Python would call something it only notes what would have been called with
/// what. Containers may be shared and may contain themselves, so they lie in one array and refer to
/// each other by number.
struct PickleDocument: Sendable {
  /// A value: a scalar, or the number of a node.
  enum Value: Sendable, Hashable {
    case none
    case bool(Bool)
    case integer(Int)
    case float(Double)
    case string(String)
    case node(Int)
  }

  /// A value that can hold others.
  enum Node: Sendable {
    case tuple([Value])
    case list([Value])
    /// Keys and values in turn.
    case dictionary([Value])
    case set([Value])
    /// Bytes, or an integer too large for 64 bits (little-endian, two's complement).
    case bytes([UInt8])
    /// A Python name.
    case global(module: String, name: String)
    /// Something kept outside the pickle, by its id.
    case persistent(Value)
    /// What calling a callable would have made.
    case object(Object)
  }

  /// A call that was not made.
  struct Object: Sendable {
    /// What would have been called.
    var callable: Value
    /// With what.
    var arguments: Value
    /// The state given to it afterwards (`BUILD`).
    var state: Value?
    /// Keys and values stored into it afterwards, in turn.
    var items: [Value] = []
    /// Elements appended to it afterwards.
    var elements: [Value] = []
  }

  /// All nodes.
  var nodes: [Node] = []
  /// The value of the whole pickle.
  var root: Value = .none
  /// The bytes read, its end included.
  var length = 0

  /// The node that a value refers to.
  func node(_ value: Value) -> Node? {
    guard case .node(let index) = value else { return nil }
    return nodes[index]
  }

  /// The elements of a tuple or list.
  func sequence(_ value: Value) -> [Value]? {
    switch node(value) {
    case .tuple(let values), .list(let values): values
    default: nil
    }
  }

  /// A name as `module.name`.
  func global(_ value: Value) -> String? {
    guard case .global(let module, let name) = node(value) else { return nil }
    return "\(module).\(name)"
  }

  /// Keys and values of a dictionary, plain or ordered or with a default.
  func pairs(_ value: Value) -> [(key: Value, value: Value)]? {
    func paired(_ flat: [Value]) -> [(key: Value, value: Value)] {
      stride(from: 0, to: flat.count - 1, by: 2).map { (flat[$0], flat[$0 + 1]) }
    }
    switch node(value) {
    case .dictionary(let flat): return paired(flat)
    case .object(let object):
      guard let name = global(object.callable),
        ["collections.OrderedDict", "collections.defaultdict"].contains(name)
      else { return nil }
      // Python 2 hands the pairs over as an argument instead of storing them.
      let given = sequence(object.arguments)?.first.flatMap(sequence) ?? []
      return given.compactMap { pair in
        sequence(pair).flatMap { $0.count == 2 ? ($0[0], $0[1]) : nil }
      } + paired(object.items)
    default: return nil
    }
  }

  /// Every Python name in the pickle, each once.
  var globals: [String] {
    var seen: Set<String> = []
    return nodes.compactMap { node in
      guard case .global(let module, let name) = node else { return nil }
      let text = "\(module).\(name)"
      return seen.insert(text).inserted ? text : nil
    }
  }
}
