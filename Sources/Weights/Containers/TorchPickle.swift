import Torch

/// Finds the tensors in what PyTorch pickles: state dictionaries, dictionaries around these, whole
/// modules, and TorchScript's objects.
///
/// A tensor is a call of `torch._utils._rebuild_tensor_v2` or one of its kin on a storage, which lies
/// outside the pickle and is named by a persistent id (torch/serialization.py, `persistent_id`).
struct TorchPickle {
  /// The part of a storage's persistent id that matters.
  struct Storage: Hashable {
    let key: String
    /// Element type; nil when it is not one of ours.
    let dtype: DType?
    /// Elements (bytes for untyped storages).
    let count: Int
    /// The class: `torch.FloatStorage`.
    let type: String
    /// Bytes of an element; nil where nothing tells.
    var elementSize: Int? {
      type.hasSuffix("UntypedStorage") ? 1 : dtype?.size ?? TorchPickle.foreignSizes[type]
    }
    /// Elements before the view that old files make of a shared storage.
    var viewOffset = 0
  }

  let document: PickleDocument
  /// The bytes of a storage.
  let locate: (Storage) throws(FormatError) -> (source: any ByteSource, range: Range<Int>)

  /// What was found.
  private(set) var tensors: [(name: String, view: TensorView)] = []
  private(set) var metadata: [String: String] = [:]
  /// Tensors of other types than ours, with the names of these.
  private(set) var unread: [String: String] = [:]

  private var path: [String] = []
  private var open: Set<Int> = []
  /// Nodes known to hold no tensor: pickles share their parts, and each is looked at once.
  private var barren: Set<Int> = []
  private var visits = 0
  private var nameBytes = 0

  private static let deepest = 64
  private static let mostVisits = 1_000_000
  private static let mostTensors = 100_000
  private static let mostNameBytes = 16 << 20

  /// Looks through the whole document.
  init(
    _ document: PickleDocument,
    locate: @escaping (Storage) throws(FormatError) -> (source: any ByteSource, range: Range<Int>)
  ) throws(FormatError) {
    self.document = document
    self.locate = locate
    try walk(document.root)
  }

  /// Python names that have no meaning here.
  var foreign: [String] {
    document.globals.filter { name in
      !Self.understood.contains(name) && !name.hasPrefix("__torch__.")
        && !Self.storageTypes.keys.contains(name.replacing("torch.cuda.", with: "torch."))
        && Self.dtypes[name] == nil
    }
  }

  // MARK: Walking

  private mutating func walk(_ value: PickleDocument.Value) throws(FormatError) {
    visits += 1
    guard visits <= Self.mostVisits else {
      throw FormatError("its parts refer to each other endlessly")
    }
    guard case .node(let index) = value else { return note(value) }
    guard path.count < Self.deepest, !barren.contains(index), open.insert(index).inserted else {
      return
    }
    defer { open.remove(index) }
    let before = tensors.count
    if let view = try tensor(value) {
      try add(view)
    } else if let pairs = document.pairs(value) {
      for (key, value) in pairs { try walk(value, under: name(key)) }
    } else if let values = document.sequence(value) {
      for (index, value) in values.enumerated() { try walk(value, under: String(index)) }
    } else if case .object(let object) = document.node(value) {
      try walk(object)
    }
    if tensors.count == before { barren.insert(index) }
  }

  private mutating func walk(_ value: PickleDocument.Value, under name: String)
    throws(FormatError)
  {
    path.append(name)
    defer { path.removeLast() }
    try walk(value)
  }

  /// A module keeps its tensors in three dictionaries that are no part of their names; any other
  /// object's attributes are.
  private mutating func walk(_ object: PickleDocument.Object) throws(FormatError) {
    guard let state = object.state, let attributes = document.pairs(state) else { return }
    let parts = ["_parameters", "_buffers", "_modules"]
    let isModule = attributes.contains { parts.contains(name($0.key)) }
    for (key, value) in attributes {
      let name = name(key)
      if isModule {
        if parts.contains(name) { try walk(value) }
      } else {
        try walk(value, under: name)
      }
    }
  }

  private func name(_ key: PickleDocument.Value) -> String {
    switch key {
    case .string(let text): text
    case .integer(let number): String(number)
    case .bool(let flag): flag ? "True" : "False"
    case .float(let number): String(number)
    case .none: "None"
    case .node(let index): "#\(index)"
    }
  }

  private mutating func add(_ view: TensorView) throws(FormatError) {
    tensors.append((try name(), view))
  }

  /// The name of what is at the present place.
  private mutating func name() throws(FormatError) -> String {
    let name = path.joined(separator: ".")
    nameBytes += name.utf8.count
    guard tensors.count + unread.count < Self.mostTensors, nameBytes <= Self.mostNameBytes else {
      throw FormatError("it holds more tensors than any model")
    }
    return name
  }

  /// Keeps short values that stand near the root: the epoch, a class's options.
  private mutating func note(_ value: PickleDocument.Value) {
    guard path.count <= 2, metadata.count < 200, !path.isEmpty else { return }
    let text: String? =
      switch value {
      case .string(let text) where text.utf8.count <= 200: text
      case .integer, .float, .bool: name(value)
      default: nil
      }
    if let text { metadata[path.joined(separator: ".")] = text }
  }

  // MARK: Tensors

  private mutating func tensor(_ value: PickleDocument.Value, depth: Int = 0) throws(FormatError)
    -> TensorView?
  {
    guard depth < 8, case .object(let object) = document.node(value),
      let callable = document.global(object.callable),
      let arguments = document.sequence(object.arguments)
    else { return nil }
    return try call(callable, arguments, depth: depth)
  }

  private mutating func call(_ callable: String, _ arguments: [PickleDocument.Value], depth: Int)
    throws(FormatError) -> TensorView?
  {
    switch callable {
    case "torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2",
      "torch._utils._rebuild_tensor_v3":
      guard arguments.count >= 4 else { throw bad("is rebuilt from too few parts") }
      return try rebuild(arguments, arguments.count > 6 ? document.global(arguments[6]) : nil)
    case "torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state",
      "torch.nn.parameter.Parameter", "torch.autograd.variable.Variable",
      "torch.nn.parameter.Buffer":
      guard let data = arguments.first else { return nil }
      return try tensor(data, depth: depth + 1)
    case "torch._tensor._rebuild_from_type_v2":
      guard arguments.count >= 3, let function = document.global(arguments[0]),
        let inner = document.sequence(arguments[2]), depth < 8
      else { return nil }
      return try call(function, inner, depth: depth + 1)
    default: return nil
    }
  }

  private mutating func rebuild(_ arguments: [PickleDocument.Value], _ type: String?)
    throws(FormatError)
    -> TensorView?
  {
    guard let storage = storage(arguments[0]) else { throw bad("has no storage") }
    guard let dtype = type.flatMap({ Self.dtypes[$0] }) ?? storage.dtype else {
      unread[try name()] = (type ?? storage.type).replacing("torch.", with: "")
      return nil
    }
    guard case .integer(let offset) = arguments[1], let shape = integers(arguments[2]),
      let strides = integers(arguments[3])
    else { throw bad("has no sizes") }
    let (source, range) = try locate(storage)
    let (start, overflow) = offset.addingReportingOverflow(storage.viewOffset)
    guard !overflow else { throw bad("reaches beyond its storage") }
    do {
      return try TensorView(
        source, storage: range, dtype: dtype, shape: shape, offset: start, strides: strides)
    } catch {
      throw bad(error.reason)
    }
  }

  private func bad(_ reason: String) -> FormatError {
    FormatError("the tensor '\(path.joined(separator: ".").prefix(120))' \(reason)")
  }

  private func integers(_ value: PickleDocument.Value) -> [Int]? {
    // torch.Size, where it is not a plain tuple.
    if case .object(let object) = document.node(value),
      document.global(object.callable) == "torch.Size"
    {
      return document.sequence(object.arguments)?.first.flatMap(integers)
    }
    let numbers = document.sequence(value)?.map { value -> Int? in
      if case .integer(let number) = value { number } else { nil }
    }
    guard let numbers, numbers.count <= 32, !numbers.contains(nil) else { return nil }
    return numbers.compactMap(\.self)
  }

  // MARK: Storages

  /// All storages that the document names, in no order.
  static func storages(in document: PickleDocument) -> [Storage] {
    document.nodes.indices.compactMap { storage(.node($0), in: document) }
  }

  private func storage(_ value: PickleDocument.Value) -> Storage? {
    Self.storage(value, in: document)
  }

  /// `("storage", type, key, device, count[, (view key, offset, count)])`
  private static func storage(_ value: PickleDocument.Value, in document: PickleDocument)
    -> Storage?
  {
    guard case .persistent(let id) = document.node(value), let parts = document.sequence(id),
      parts.count >= 5, parts[0] == .string("storage"),
      let type = document.global(parts[1])?.replacing("torch.cuda.", with: "torch."),
      case .integer(let count) = parts[4], count >= 0
    else { return nil }
    let key: String
    switch parts[2] {
    case .string(let text): key = text
    case .integer(let number): key = String(number)
    default: return nil
    }
    var viewOffset = 0
    if parts.count > 5, let view = document.sequence(parts[5]), view.count == 3,
      case .integer(let offset) = view[1]
    {
      viewOffset = offset
    }
    return Storage(
      key: key, dtype: storageTypes[type] ?? nil, count: count,
      type: type, viewOffset: viewOffset)
  }

  /// Element types by storage class; nil for those that have none.
  private static let storageTypes: [String: DType?] = [
    "torch.FloatStorage": .float32, "torch.DoubleStorage": .float64, "torch.HalfStorage": .float16,
    "torch.BFloat16Storage": .bfloat16, "torch.LongStorage": .int64, "torch.IntStorage": .int32,
    "torch.ShortStorage": .int16, "torch.CharStorage": .int8, "torch.ByteStorage": .uint8,
    "torch.BoolStorage": .bool, "torch.storage.UntypedStorage": nil, "torch.UntypedStorage": nil,
    "torch.storage._UntypedStorage": nil,
  ]

  /// Bytes of an element of storages that are passed over.
  private static let foreignSizes = [
    "torch.ComplexFloatStorage": 8, "torch.ComplexDoubleStorage": 16, "torch.QInt8Storage": 1,
    "torch.QUInt8Storage": 1, "torch.QInt32Storage": 4, "torch.QUInt4x2Storage": 1,
    "torch.QUInt2x4Storage": 1,
  ]

  private static let dtypes: [String: DType] = [
    "torch.float32": .float32, "torch.float64": .float64, "torch.float16": .float16,
    "torch.bfloat16": .bfloat16, "torch.int64": .int64, "torch.int32": .int32,
    "torch.int16": .int16, "torch.int8": .int8, "torch.uint8": .uint8, "torch.bool": .bool,
  ]

  private static let understood: Set<String> = [
    "torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2",
    "torch._utils._rebuild_tensor_v3", "torch._utils._rebuild_parameter",
    "torch._utils._rebuild_parameter_with_state", "torch.nn.parameter.Parameter",
    "torch.nn.parameter.Buffer", "torch.autograd.variable.Variable",
    "torch._tensor._rebuild_from_type_v2", "torch.Tensor", "torch.Size", "torch.device",
    "collections.OrderedDict", "collections.defaultdict",
  ]
}
