// The tree of a feeder's buses, and where each stands in the one-line diagram.

const ROW = 22;
const LEFT = 20;
const TOP = 20;
// Phase to neutral; what is behind a transformer below it may be drawn as one.
const LOW_KV = 1;

const highest = (nodes) => nodes.reduce((most, { pu }) => Math.max(most, pu), 0);
const lowest = (nodes) => nodes.reduce((least, { pu }) => Math.min(least, pu), Infinity);

// Every bus that is fed: its name, its parent's, km, the highest and the lowest voltage of its phases, DERs.
export function tree(branches, buses) {
  const parents = new Map(branches.map(({ from_bus: from, to_bus: to }) => [to, from]));
  const fed = buses.filter(({ km }) => km !== null);
  return fed.map((bus) => nodeOf(bus, bus.bus, bus.km, parents.get(bus.bus)));
}

// The same, where the low-voltage buses behind a transformer are one, at the transformer's bus.
export function merged(branches, buses) {
  const parents = new Map(branches.map(({ from_bus: from, to_bus: to }) => [to, from]));
  const km = new Map(buses.map((each) => [each.bus, each.km]));
  const into = busOfTransformer(branches);
  const kept = new Map();
  for (const bus of buses) {
    if (bus.km === null) continue;
    const name = (bus.kv < LOW_KV && into.get(bus.transformer)) || bus.bus;
    const node = nodeOf(bus, name, km.get(name) ?? bus.km, parents.get(name));
    const found = kept.get(name);
    kept.set(name, found ? joined(found, node) : node);
  }
  return [...kept.values()];
}

// The buses behind one transformer.
export function behind(branches, buses, transformer) {
  return tree(
    branches,
    buses.filter((bus) => bus.transformer === transformer),
  );
}

const busOfTransformer = (branches) =>
  new Map(branches.filter(({ kind }) => kind === "transformer").map((each) => [each.name, each.to_bus]));

const nodeOf = ({ nodes, ders }, name, km, parent) => ({
  name,
  km,
  parent,
  ders,
  pu: highest(nodes),
  low: lowest(nodes),
});

const joined = (one, other) => ({
  ...one,
  pu: Math.max(one.pu, other.pu),
  low: Math.min(one.low, other.low),
  ders: [...one.ders, ...other.ders],
});

// Each node with x, y and whether it is a leaf: each leaf has a row, a parent stands at its first child's.
// right: what the labels of the leaves take of the width, px.
export function placed(nodes, width, right) {
  const children = childrenOf(nodes);
  const roots = children.get(null) ?? [];
  const [nearest, far] = [0, 1].map((end) =>
    nodes.reduce((a, { km }) => (end ? Math.max(a, km) : Math.min(a, km)), end ? 0 : Infinity),
  );
  const deepest = Math.max(1, depthOf(roots, children));
  const out = [];
  let row = 0;
  const walk = (node, depth) => {
    const below = children.get(node.name) ?? [];
    const first = row;
    below.forEach((child) => walk(child, depth + 1));
    if (!below.length) row += 1;
    // Half by distance, half by the number of branches: service lines are too short to be seen.
    const share = ((node.km - nearest) / Math.max(0.001, far - nearest) + depth / deepest) / 2;
    const x = LEFT + share * (width - LEFT - right);
    out.push({ ...node, leaf: !below.length, root: !depth, x, y: TOP + first * ROW });
  };
  roots.forEach((root) => walk(root, 0));
  return { places: out, height: row * ROW + TOP };
}

function childrenOf(nodes) {
  const children = new Map();
  const known = new Set(nodes.map(({ name }) => name));
  for (const node of nodes) {
    const parent = known.has(node.parent) ? node.parent : null;
    if (!children.has(parent)) children.set(parent, []);
    children.get(parent).push(node);
  }
  return children;
}

const depthOf = (nodes, children) =>
  nodes.reduce((most, { name }) => Math.max(most, 1 + depthOf(children.get(name) ?? [], children)), -1);
